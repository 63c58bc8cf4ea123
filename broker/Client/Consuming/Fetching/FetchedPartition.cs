using LogPipeline.Client.Connections;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>Whole batches of one partition, waiting to be polled; holds a share of the frame's lease.</summary>
internal sealed record FetchedPartition(
    PartitionState State, int Version, PartitionBatches Batches, int LastEpoch, FrameLease Lease);
