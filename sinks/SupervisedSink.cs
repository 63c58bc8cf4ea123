using LogPipeline.Client.Connections;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Rebuilding;
using LogPipeline.Sinks.Telemetry;
using LogPipeline.Sinks.Workers;

namespace LogPipeline.Sinks;

/// <summary>
/// Runs a sink's worker, and another one when it ended by a failure: what a database refuses a person mends, and the sink goes on by itself
/// then. Each worker has a store of its own, with fresh connections. The tries are spaced by exponential back-off from 1 s up to 15 s. So a
/// failure stops one sink and nothing beside it; <see cref="Problem"/>, metrics and log say why it stands.
/// </summary>
public sealed class SupervisedSink
{
    private static readonly BackOff Delays = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));

    /// <summary>A sink that has worked for this long is over its last failure.</summary>
    private static readonly TimeSpan Recovered = TimeSpan.FromSeconds(10);

    private readonly SinkOptions _options;
    private readonly IConnector _connector;
    private readonly Func<SinkOptions, ISinkStore> _createStore;
    private readonly SinkEnvironment _environment;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SinkWorker? _worker;
    private Waits? _waits;
    private string? _failure;
    private long _readyAt; // a timestamp of the time provider's; meaningless while there is no worker that is ready

    /// <param name="createStore">Makes a store, which this sink disposes, with the parser of the table as it is.</param>
    /// <param name="options">The sink's.</param>
    /// <param name="connector">The way to the brokers.</param>
    /// <param name="environment">What the host gives.</param>
    public SupervisedSink(SinkOptions options, IConnector connector, Func<SinkOptions, ISinkStore> createStore, SinkEnvironment environment)
    {
        (_options, _connector, _createStore, _environment) = (options, connector, createStore, environment);
    }

    /// <summary>Whether its process runs nothing else: then a refusal of its first start ends it, and the process with one line.</summary>
    public bool IsAlone { get; init; }

    /// <summary>Done when a worker is ready, see <see cref="SinkWorker.Ready"/>; faulted or cancelled when the sink ends before.</summary>
    public Task Ready => _ready.Task;

    /// <summary>What keeps it from storing all that comes, in one line; null when all is well. Any thread may ask.</summary>
    public string? Problem
    {
        get
        {
            SinkWorker? worker = Volatile.Read(ref _worker);
            return worker?.Problem ?? Volatile.Read(ref _waits)?.Problem ?? (HasRecovered(worker) ? null : Volatile.Read(ref _failure));
        }
    }

    /// <summary>Works until cancelled, then flushes what is buffered, leaves the group and returns.</summary>
    /// <exception cref="StoreRefusedException">See <see cref="IsAlone"/>.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        var tag = new KeyValuePair<string, object?>("sink", _options.Name);
        using var lag = new LagMeter(_options.Name, () => Volatile.Read(ref _worker)?.Lags ?? [], _environment.Time);
        try
        {
            for (int failures = 0; ; failures++)
            {
                try
                {
                    await WorkAsync(stop);
                    return;
                }
                catch (StoreRefusedException refused) when (IsAlone && !_ready.Task.IsCompleted)
                {
                    _ready.SetException(refused);
                    throw;
                }
                catch (TableReplacedException) when (!stop.IsCancellationRequested)
                {
                    (_worker, failures) = (null, -1);
                    continue;
                }
                catch (Exception error) when (!stop.IsCancellationRequested)
                {
                    Volatile.Write(ref _failure, error.Message);
                    failures = HasRecovered(_worker) ? 0 : failures;
                }
                Volatile.Write(ref _worker, null);
                TimeSpan delay = Delays.Delay(failures, _environment.Random.NextDouble());
                SinkLog.TriedAgain(_environment.Logger, _options.Name, delay);
                SinkMeter.Stopped.Add(1, tag);
                try
                {
                    await Task.Delay(delay, _environment.Time, stop);
                }
                finally
                {
                    SinkMeter.Stopped.Add(-1, tag);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop between two tries.
        }
        finally
        {
            _ready.TrySetCanceled(CancellationToken.None);
        }
    }

    private async Task WorkAsync(CancellationToken stop)
    {
        SinkOptions options = await InUseAsync(stop);
        await using ISinkStore store = _createStore(options);
        var worker = new SinkWorker(options, _connector, store, _environment);
        Volatile.Write(ref _worker, worker);
        Task running = worker.RunAsync(stop);
        await NoteReadyAsync(worker);
        await running;
    }

    private async Task<SinkOptions> InUseAsync(CancellationToken stop)
    {
        using var waits = new Waits(_options.Name, _environment);
        Volatile.Write(ref _waits, waits);
        SinkOptions options = await waits.UntilDoneAsync(_options.Kind, cancellation => TableParser.InUseAsync(_options, cancellation), stop);
        waits.Over(_options.Kind);
        if (!ReferenceEquals(options, _options))
        {
            SinkLog.ParserOfTable(_environment.Logger, _options.Name, options.Parser.ToString(), _options.Parser.ToString());
        }
        return options;
    }

    private async Task NoteReadyAsync(SinkWorker worker)
    {
        try
        {
            await worker.Ready;
        }
        catch (Exception)
        {
            return; // its run has ended, and throws the same
        }
        Volatile.Write(ref _readyAt, _environment.Time.GetTimestamp());
        _ready.TrySetResult();
    }

    private bool HasRecovered(SinkWorker? worker) => worker?.Ready.IsCompletedSuccessfully == true
        && _environment.Time.GetElapsedTime(Volatile.Read(ref _readyAt)) >= Recovered;
}
