using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>
/// Where a running sink takes the steps of its table's rebuild. Looks every second into its database whether one is under way, tells the saga what stage it
/// has, and runs the shadow sink beside the live one from the moment that its table is there until the rebuild has ended.
/// </summary>
public sealed class RebuildRunner : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly SinkOptions _options;
    private readonly IConnector _connector;
    private readonly SinkEnvironment _environment;
    private readonly IRebuildBus _bus;
    private readonly RebuildTable _table;
    private readonly Random _ofSteps; // steps run beside the looks, and Random is for one thread
    private CancellationToken _stop;
    private Running? _running;
    private Rebuild? _told;
    private string? _fault; // why the last look failed, as it was told

    /// <param name="options">As the configuration has them.</param>
    /// <param name="connector">The way to the brokers.</param>
    /// <param name="environment">Of the sink; its <see cref="SinkEnvironment.Random"/> is the runner's own.</param>
    /// <param name="bus">Carries the saga.</param>
    /// <exception cref="SinkConfigurationException">The sink's table cannot be rebuilt.</exception>
    public RebuildRunner(SinkOptions options, IConnector connector, SinkEnvironment environment, IRebuildBus bus)
    {
        (_options, _connector, _environment, _bus) = (options, connector, environment, bus);
        _ofSteps = new Random(environment.Random.Next());
        _table = new RebuildTable(options);
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _stop = stop;
        using IDisposable connection = _bus.Connect(_options.Name, this);
        try
        {
            while (true)
            {
                await TryLookAsync(stop);
                await Task.Delay(LookInterval, _environment.Time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The sink ends; the next start goes on from the row.
        }
        finally
        {
            await EndAsync();
        }
    }

    /// <summary>The saga's step; returns the stage that the rebuild then has.</summary>
    public async Task<RebuildStage> TakeAsync(TakeRebuildStep step)
    {
        if (await _table.FindAsync(step.Id, _stop) is not { } rebuild)
        {
            return RebuildStage.Aborted; // its row was removed
        }
        if (rebuild.Stage != step.Stage)
        {
            return rebuild.Stage;
        }
        SinkOptions live = await TableParser.InUseAsync(_options, _stop);
        var steps = new RebuildSteps(_table, live, _connector, _environment with { Random = _ofSteps });
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_stop, Volatile.Read(ref _running)?.Ended ?? CancellationToken.None);
        try
        {
            await steps.TakeAsync(rebuild, ending.Token);
        }
        catch (Exception error) when (error is RebuildRefusedException or StoreRefusedException or SinkConfigurationException)
        {
            await steps.AbortAsync(rebuild, error.Message, _stop);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested && !_stop.IsCancellationRequested)
        {
            // Aborted meanwhile.
        }
        catch (Exception error) when (!_stop.IsCancellationRequested)
        {
            await TryNoteAsync(rebuild, $"tried again: {error.Message}");
            // The bus tries again, which it does not for what was cancelled.
            throw error as StoreUnavailableException ?? new StoreUnavailableException($"{rebuild} stays {rebuild.Stage}: {error.Message}", error);
        }
        return (await _table.FindAsync(step.Id, _stop))?.Stage ?? RebuildStage.Aborted;
    }

    public ValueTask DisposeAsync() => _table.DisposeAsync();

    private async Task TryNoteAsync(Rebuild rebuild, string note)
    {
        try
        {
            await _table.NoteAsync(rebuild, note, _stop);
        }
        catch (StoreUnavailableException)
        {
            // The database itself is what is waited for.
        }
    }

    private async Task TryLookAsync(CancellationToken stop)
    {
        try
        {
            await LookAsync(await _table.FindAsync(null, stop), stop);
        }
        catch (Exception error) when (error is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            // The live sink, which needs the same database, tells of one that is away.
            if (error is not StoreUnavailableException && error.Message != _fault)
            {
                SinkLog.RebuildUnfollowed(_environment.Logger, _options.Name, error.Message, LookInterval);
                _fault = error.Message;
            }
        }
    }

    private async Task LookAsync(Rebuild? rebuild, CancellationToken stop)
    {
        if (_running is not null && (rebuild?.IsUnderWay != true || _running.Id != rebuild.Id))
        {
            Rebuild? ended = await _table.FindAsync(_running.Id, stop);
            await EndAsync();
            if (ended is { IsUnderWay: false })
            {
                await new RebuildSteps(_table, _options, _connector, _environment).ClearAsync(ended, stop);
            }
        }
        if (rebuild is { IsUnderWay: true, Stage: >= RebuildStage.ShadowCreated })
        {
            _running ??= new Running(await TableParser.InUseAsync(_options, stop), rebuild, _connector, _environment);
            if (rebuild.Stage == RebuildStage.Filling)
            {
                await _table.NoteAsync(rebuild, _running.Problem, stop);
            }
        }
        if (rebuild is not null && (rebuild.Id, rebuild.Stage) != (_told?.Id, _told?.Stage) && (rebuild.IsUnderWay || _told?.Id == rebuild.Id))
        {
            _told = rebuild;
            SinkLog.RebuildMoved(_environment.Logger, rebuild.Sink, rebuild.ToString(), rebuild.Stage, rebuild.Note ?? "");
            _bus.Send(new RebuildMoved(SagaOf(rebuild), rebuild.Sink, rebuild.Id, rebuild.Stage));
        }
    }

    private Guid SagaOf(Rebuild rebuild)
    {
        Span<byte> bytes = stackalloc byte[16];
        new Random(HashCode.Combine(GetHashCode(), rebuild.Id)).NextBytes(bytes);
        return new Guid(bytes);
    }

    private async Task EndAsync()
    {
        if (_running is { } running)
        {
            Volatile.Write(ref _running, null);
            await running.DisposeAsync();
        }
    }

    /// <summary>The shadow sink at work.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly SupervisedSink _sink;
        private readonly Task _work;

        public Running(SinkOptions live, Rebuild rebuild, IConnector connector, SinkEnvironment environment)
        {
            SinkOptions shadow = RebuildSteps.ShadowOf(live, rebuild);
            SinkEnvironment own = environment with { Random = new Random(environment.Random.Next()), Pauses = SinkPauses.None() };
            _sink = new SupervisedSink(shadow, connector, inUse => SinkStores.Create(inUse, new OsFileSystem(), environment.Time, new Random(own.Random.Next()), environment.Events), own);
            (Id, Ended) = (rebuild.Id, _end.Token);
            _work = _sink.RunAsync(Ended);
        }

        /// <summary>The rebuild's.</summary>
        public int Id { get; }

        /// <summary>Cancelled when the rebuild has ended.</summary>
        public CancellationToken Ended { get; }

        public string? Problem => _sink.Problem;

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _work;
            _end.Dispose();
        }
    }
}
