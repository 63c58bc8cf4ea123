using LogPipeline.Client.Connections;

namespace LogPipeline.Sinks;

/// <summary>
/// One member of a sink's consumer group: takes partitions, writes their records and the ledger in one transaction each flush.
/// </summary>
public sealed class SinkWorker
{
    public SinkWorker(SinkOptions options, IConnector connector, ISinkStore store, SinkEnvironment environment) => throw new NotImplementedException();

    /// <summary>Done when the store is open and the group is joined; faults when <see cref="RunAsync"/> ends before.</summary>
    public Task Ready => throw new NotImplementedException();

    /// <summary>
    /// Works until cancelled, then flushes what is buffered, leaves the group and returns. Whatever ends it otherwise is given to
    /// <see cref="SinkEnvironment.OnFatal"/> and thrown. The store stays the caller's.
    /// </summary>
    public Task RunAsync(CancellationToken stop) => throw new NotImplementedException();
}
