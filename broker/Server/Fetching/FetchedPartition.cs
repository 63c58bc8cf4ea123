using LogPipeline.Protocol;
using Answer = LogPipeline.Protocol.Messages.FetchResponse.Response.Partition;

namespace LogPipeline.Broker.Fetching;

/// <summary>What one partition had for a fetch.</summary>
internal sealed record FetchedPartition(FetchPartition Asked, Answer Answer)
{
    public bool IsError => Answer.ErrorCode != ErrorCode.None;

    /// <summary>Something a client should hear at once.</summary>
    public bool HasNews => IsError || Answer.Records.Length > 0 || Answer.DivergingEpoch is not null;
}
