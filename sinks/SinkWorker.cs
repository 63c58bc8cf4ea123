using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Telemetry;
using LogPipeline.Sinks.Workers;

namespace LogPipeline.Sinks;

/// <summary>
/// One member of a sink's consumer group: takes partitions, writes their records and the ledger in one transaction each flush.
/// Opens the store (waiting for it), joins, and hands over to the poll loop, which gives each partition a loop of its own.
/// </summary>
public sealed class SinkWorker
{
    private readonly SinkOptions _options;
    private readonly IConnector _connector;
    private readonly ISinkStore _store;
    private readonly SinkEnvironment _environment;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PollLoop? _loop;
    private Waits? _waits;

    /// <exception cref="SinkConfigurationException">A setting is wrong.</exception>
    public SinkWorker(SinkOptions options, IConnector connector, ISinkStore store, SinkEnvironment environment)
    {
        options.Validate();
        (_options, _connector, _store, _environment) = (options, connector, store, environment);
    }

    /// <summary>
    /// Done when the store is open, the group is joined and each partition that it was given is claimed, or says why it waits. Faults when
    /// <see cref="RunAsync"/> ends before.
    /// </summary>
    public Task Ready => _ready.Task;

    /// <summary>What keeps it from storing all that comes, in one line; null when all is well. Any thread may ask.</summary>
    public string? Problem => Volatile.Read(ref _loop) is { } loop ? loop.Problem : Volatile.Read(ref _waits)?.Problem;

    /// <summary>How far each partition that it has is behind. Any thread may ask.</summary>
    internal IEnumerable<PartitionLag> Lags => Volatile.Read(ref _loop)?.Lags ?? [];

    /// <summary>
    /// Works until cancelled, then flushes what is buffered, leaves the group and returns. Whatever ends it otherwise is told and thrown.
    /// The store stays the caller's.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await WorkAsync(stop);
            _environment.Events.Publish(new SinkStopped(_options.Name, _environment.Time.GetUtcNow(), "asked to"));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop before the group was joined.
        }
        catch (TableReplacedException replaced)
        {
            _environment.Events.Publish(new TableReplaced(_options.Name, _environment.Time.GetUtcNow()));
            _ready.TrySetException(replaced);
            throw;
        }
        catch (Exception error)
        {
            SinkLog.Stopped(_environment.Logger, _options.Name, error.Message);
            _environment.Events.Publish(new SinkStopped(_options.Name, _environment.Time.GetUtcNow(), error.Message));
            _ready.TrySetException(error);
            throw;
        }
        finally
        {
            _ready.TrySetCanceled(CancellationToken.None);
        }
    }

    private async Task WorkAsync(CancellationToken stop)
    {
        using var waits = new Waits(_options.Name, _environment);
        Volatile.Write(ref _waits, waits);
        Guid ledgerId = await waits.UntilDoneAsync(_store.Kind, _store.OpenAsync, stop);
        waits.Over(_store.Kind);
        var client = new ClientOptions { Bootstrap = [.. _options.Bootstrap.Split(',', StringSplitOptions.TrimEntries)], ClientId = $"logpipe-sink-{_options.Name}" };
        Random random = _environment.Random;
        await using var cluster = new ClusterClient(client, _connector, _environment.Time, new Random(random.Next()));
        // A killed sink's partitions wait for its session to end. A live one that is late loses nothing but its turn: the ledger fences.
        var consuming = new ConsumerOptions
        {
            Group = _options.Name,
            OffsetReset = OffsetReset.None,
            SessionTimeout = TimeSpan.FromSeconds(10),
            // A partition that is resumed waits for a fetch under way that waits for others: not for long.
            FetchWaitMax = TimeSpan.FromMilliseconds(100),
            PrefetchBytes = 4 << 20,
        };
        await using var consumer = new Consumer(consuming, cluster, _environment.Time, new Random(random.Next()));
        var claims = new LedgerClaims(_options, cluster, consumer, _store, ledgerId, _environment, new Random(random.Next()));
        using var pool = new RowPool();
        var tools = new PartitionTools(_options, _environment, claims, new Flusher(_options.Name, _store, _environment), waits, new FlushPace(_options.FlushInterval, _environment.Time), pool, _store.Parser);
        var reports = new OffsetReports(_options.Name, consumer, claims.CommitMetadata, _environment);
        using var loop = new PollLoop(consumer, tools, new LedgerWatch(claims, waits, _environment.Time), new LogEnds(new AdminClient(cluster), _environment.Time), reports, new Upkeep(_options.Name, _store, _environment), OnReady);
        Volatile.Write(ref _loop, loop);
        await loop.RunAsync(stop);
    }

    private void OnReady()
    {
        if (_ready.TrySetResult())
        {
            _environment.Events.Publish(new SinkStarted(_options.Name, _environment.Time.GetUtcNow(), _store.Kind));
        }
    }
}
