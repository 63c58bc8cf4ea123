using System.Collections.Immutable;

namespace LogPipeline.Broker.Cluster;

/// <summary>A topic as the cluster knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id; a topic that is deleted and made again has another one.</param>
/// <param name="Partitions">Its partitions, by number.</param>
internal sealed record TopicImage(string Name, Guid Id, ImmutableList<PartitionState> Partitions);
