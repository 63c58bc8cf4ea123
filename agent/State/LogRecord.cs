namespace LogPipeline.Agent.State;

/// <summary>One partition of one topic id in one cluster: what the name alone does not say.</summary>
internal readonly record struct LogIdentity(string ClusterId, Guid TopicId, int Partition);

/// <summary>Where a leader said that its log ends, and under which epoch; -1 = not told.</summary>
internal readonly record struct LogEnd(long Offset, int LeaderEpoch);

/// <summary>
/// What the registry knows of a log: the producer id that new data goes out under, durable before its first use, so that it can
/// be fenced even when the in-flight entries are damaged.
/// </summary>
internal sealed class LogRecord
{
    public required string Topic { get; init; }

    /// <summary>The partition that files were given; the wire's may differ when a topic came back with fewer.</summary>
    public required int Partition { get; init; }

    public LogIdentity Identity { get; set; } = new("", default, 0);

    public long ProducerId { get; set; } = -1;

    public short ProducerEpoch { get; set; } = -1;

    /// <summary>
    /// A log end seen: what was acked lies before it, what is sent later at or beyond it. An epoch that ended below was cut.
    /// </summary>
    public LogEnd End { get; private set; } = new(-1, -1);

    /// <summary>The leader said so; all that was acked is known to be there.</summary>
    public void Saw(in LogEnd end) => End = end;

    /// <summary>Something was acked that ends at <paramref name="offset"/>, under this epoch or a later one.</summary>
    public void Reached(long offset, int leaderEpoch)
    {
        if (leaderEpoch > End.LeaderEpoch)
        {
            End = new LogEnd(offset, leaderEpoch);
        }
        else if (leaderEpoch == End.LeaderEpoch)
        {
            End = End with { Offset = Math.Max(End.Offset, offset) };
        }
    }

    public void Write(StateWriter to)
    {
        to.String(Topic);
        to.Int32(Partition);
        to.String(Identity.ClusterId ?? ""); // a log that was never reached has no identity yet
        to.Guid(Identity.TopicId);
        to.Int32(Identity.Partition);
        to.Int64(ProducerId);
        to.Int16(ProducerEpoch);
        to.Int64(End.Offset);
        to.Int32(End.LeaderEpoch);
    }

    public static LogRecord ReadFrom(ref StateReader from) => new()
    {
        Topic = from.String(),
        Partition = from.Int32(),
        Identity = new LogIdentity(from.String(), from.Guid(), from.Int32()),
        ProducerId = from.Int64(),
        ProducerEpoch = from.Int16(),
        End = new LogEnd(from.Int64(), from.Int32()),
    };
}
