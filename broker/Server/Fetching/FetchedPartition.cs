using LogPipeline.Broker.Partitions;
using LogPipeline.Protocol;
using Answer = LogPipeline.Protocol.Messages.FetchResponse.Response.Partition;

namespace LogPipeline.Broker.Fetching;

/// <summary>What one partition had for a fetch.</summary>
internal sealed record FetchedPartition(FetchPartition Asked, Answer Answer)
{
    /// <summary>The partition that was read; null where there is an error.</summary>
    public Partition? Source { get; set; }

    public bool IsError => Answer.ErrorCode != ErrorCode.None;

    /// <summary>Makes the answer an error, whatever was read.</summary>
    public void Refuse(ErrorCode error)
    {
        Answer.ErrorCode = error;
        (Answer.HighWatermark, Answer.LastStableOffset, Answer.LogStartOffset) = (-1, -1, -1);
    }

    /// <summary>Something a client should hear at once.</summary>
    public bool HasNews => IsError || Answer.Records.Length > 0 || Answer.DivergingEpoch is not null;
}
