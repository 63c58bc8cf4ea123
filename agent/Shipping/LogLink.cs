using LogPipeline.Agent.State;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Agent.Shipping;

/// <summary>A log's leader, and which log it is that it leads.</summary>
internal sealed class LogLink(PartitionLeader leader, LogIdentity identity)
{
    public LogIdentity Identity => identity;

    public PartitionLeader Leader => leader;

    /// <summary>The high watermark and the epoch of the leader that says it.</summary>
    public async Task<LogEnd> EndAsync(CancellationToken cancellation)
    {
        OffsetFound end = await leader.OffsetAsync(OffsetSpec.Latest, cancellation);
        return new LogEnd(end.Offset, end.LeaderEpoch);
    }

    /// <summary>Where a leader epoch ended: the end of the log if it lasts; null when the broker cannot tell.</summary>
    public async Task<long?> EndOfEpochAsync(int leaderEpoch, CancellationToken cancellation)
    {
        if (leaderEpoch < 0 || !leader.KnowsEpochs)
        {
            return null;
        }
        EpochEnd end = await leader.EpochEndAsync(leaderEpoch, cancellation);
        return end.EndOffset >= 0 ? end.EndOffset : null;
    }
}
