using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Sinks.Alerts;

/// <summary>Whether a sink is so far behind that the rows of a rule's window are not stored yet: then their number tells nothing. All rules of a sink share one.</summary>
public sealed class SinkDelay : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(5);

    private readonly SinkOptions _sink;
    private readonly ClusterClient _cluster;
    private readonly ISqlDialect _dialect;
    private readonly AsyncLock _asking = new(); // one question at a time, by one connection

    /// <param name="sink">One whose rows can be counted.</param>
    public SinkDelay(SinkOptions sink, IConnector connector, TimeProvider time, Random random)
    {
        _sink = sink;
        _dialect = SinkStores.DialectOf(sink, time) ?? throw new SinkConfigurationException($"sink {sink.Name} writes files, whose rows cannot be counted");
        _cluster = new ClusterClient(
            new ClientOptions
            {
                Bootstrap = [.. sink.Bootstrap.Split(',', StringSplitOptions.TrimEntries)],
                ClientId = "logpipe-alerts",
                AutoCreateTopics = false,
                RequestTimeout = AnswerTimeMax,
                LookupTimeout = AnswerTimeMax,
            },
            connector, time, random);
    }

    /// <summary>Why the last question had no answer; null where it had.</summary>
    public string? Failure { get; private set; }

    /// <summary>Null where all that came before the window is stored; else why the number of its rows tells nothing.</summary>
    /// <param name="begin">Where the window begins.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="QueryException">Broker or database cannot be asked.</exception>
    public async Task<string?> FindAsync(DateTimeOffset begin, CancellationToken cancellation)
    {
        await _asking.TakeAsync();
        try
        {
            Failure = null;
            long behind = await CountAsync(begin, cancellation);
            return behind == 0 ? null : $"sink {_sink.Name} is behind: {behind} record{(behind == 1 ? "" : "s")} from before the window {(behind == 1 ? "is" : "are")} not stored yet";
        }
        catch (Exception error) when (error is IOException or TimeoutException or BrokerErrorException or QueryException)
        {
            Failure = $"whether sink {_sink.Name} is behind cannot be told: {error.Message.TrimEnd('.')}.";
            throw new QueryException(Failure);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<long> CountAsync(DateTimeOffset begin, CancellationToken cancellation)
    {
        string clusterId = (await new AdminClient(_cluster).DescribeClusterAsync(cancellation)).ClusterId;
        IReadOnlyList<PinnedLog> logs = await new TableSide(_dialect, _sink.Name, _sink.Table).LogsAsync(clusterId, cancellation);
        return (await new Backlog(_cluster, _sink).FindAsync(logs, begin, cancellation)).Sum(offsets => offsets.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _dialect.DisposeAsync();
    }
}
