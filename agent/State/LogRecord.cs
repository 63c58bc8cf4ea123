namespace LogPipeline.Agent.State;

/// <summary>One partition of one topic id in one cluster: what the name alone does not say.</summary>
internal readonly record struct LogIdentity(string ClusterId, Guid TopicId, int Partition);

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

    /// <summary>A log end offset seen: what is sent later lies at or beyond it.</summary>
    public long EndOffset { get; set; } = -1;

    /// <summary>The leader epoch it was seen under; -1 = not told.</summary>
    public int LeaderEpoch { get; set; } = -1;

    public void Write(StateWriter to)
    {
        to.String(Topic);
        to.Int32(Partition);
        to.String(Identity.ClusterId ?? ""); // a log that was never reached has no identity yet
        to.Guid(Identity.TopicId);
        to.Int32(Identity.Partition);
        to.Int64(ProducerId);
        to.Int16(ProducerEpoch);
        to.Int64(EndOffset);
        to.Int32(LeaderEpoch);
    }

    public static LogRecord ReadFrom(ref StateReader from) => new()
    {
        Topic = from.String(),
        Partition = from.Int32(),
        Identity = new LogIdentity(from.String(), from.Guid(), from.Int32()),
        ProducerId = from.Int64(),
        ProducerEpoch = from.Int16(),
        EndOffset = from.Int64(),
        LeaderEpoch = from.Int32(),
    };
}
