namespace LogPipeline.Sinks.Ledger;

/// <summary>One partition of one life of a topic in one cluster, as one sink sees it: the key of <c>logpipe_logs</c>.</summary>
/// <param name="Topic">The name: part of the key for old brokers that know no topic ids.</param>
public sealed record LogIdentity(string Sink, string ClusterId, Guid TopicId, string Topic, int Partition)
{
    /// <summary>Whether it has the name of another log, of which the topic was deleted or is in another cluster.</summary>
    public bool IsNamesake(LogIdentity other) => Topic == other.Topic && Partition == other.Partition && this != other;

    public override string ToString() => $"{Topic}-{Partition}";
}
