using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Status;
using LogPipeline.Agent.Tailing;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent;

/// <summary>
/// One agent: tails files and publishes each line as a record, exactly once. All of it runs on the synchronization context that
/// <see cref="StartAsync"/> is called on, which must run one piece of work at a time; so nothing here is locked.
/// </summary>
public sealed class AgentService : IAsyncDisposable
{
    private readonly AgentOptions _options;
    private readonly IFileSystem _files;
    private readonly IConnector _connector;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly Action<Exception> _onFatal;
    private readonly IFileWatch? _watch;
    private readonly CancellationTokenSource _stopReading = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly SortedDictionary<TopicPartitionKey, LogShipper> _shippers = [];
    private readonly SortedSet<string> _topicsAsked = new(StringComparer.Ordinal);
    private readonly AsyncSignal _idle = new();
    private readonly List<Task> _loops = [];
    private AgentParts? _running;

    /// <param name="options">What to do.</param>
    /// <param name="files">The disk.</param>
    /// <param name="connector">The network.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Chance: ids and jitter.</param>
    /// <param name="logger">Where lines about the agent go.</param>
    /// <param name="onFatal">Called when a loop died: the agent does nothing more, the process must end.</param>
    /// <param name="watch">Hints of changed files; null = only sweeps.</param>
    /// <exception cref="ArgumentException">The options cannot be.</exception>
    public AgentService(
        AgentOptions options,
        IFileSystem files,
        IConnector connector,
        TimeProvider time,
        Random random,
        ILogger logger,
        Action<Exception> onFatal,
        IFileWatch? watch = null)
    {
        options = options.WithSpools();
        options.Validate();
        (_options, _files, _connector, _time, _random, _logger, _onFatal, _watch) = (options, files, connector, time, random, logger, onFatal, watch);
    }

    /// <summary>Makes the loops that feed the spools of inputs that are no files.</summary>
    internal Func<SourceOptions, ILineSource>? MakeSource { get; init; }

    /// <summary>Called when every source has ended and all that they gave is acked.</summary>
    internal Action? SourcesSent { get; init; }

    /// <summary>Files that are followed now.</summary>
    public int FilesFollowed => _running?.Table.FollowedCount ?? 0;

    /// <summary>Whether all that the files held at the last look is acked, up to each file's last line feed.</summary>
    public bool IsCaughtUp =>
        _running is AgentParts r
        && r.Reads.IsIdle
        && _shippers.Values.All(s => s.IsIdle)
        && r.Table.Files.All(f => f.Generation.IsOver || (f.IsAtEnd && f.Generation is { IsDurable: true } g && g.Acked.Position == g.Read.Position));

    /// <summary>What keeps it from doing all it should; may be asked by any thread.</summary>
    public IReadOnlyList<string> Problems => _running?.Monitor.Problems ?? [];

    /// <summary>What it says of itself and its files; on its own context.</summary>
    public AgentReport Report(string? path, int filesMax) => _running!.Reporter.Report(path, filesMax);

    /// <summary>Where each file and each log stands, for people.</summary>
    public string Describe() => string.Join("; ",
    [
        .. (_running?.Table.Files ?? []).Select(f =>
            $"{f.Generation.Path} {f.Generation.Phase} size {f.Size} read {f.Generation.Read.Position} acked {f.Generation.Acked.Position}"
            + $"{(f.Log is null ? " without a log" : "")}{(f.Generation.IsDurable ? "" : " not durable")}{(f.Handle is null ? " closed" : "")}{(f.IsQueued ? " queued" : "")}"),
        .. _shippers.Values.Select(s => s.Describe()),
    ]);

    /// <summary>Locks and reads the state, looks at all files once, and begins to read and ship.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var pause = new DiskPause(_time, Fatal, _stopped.Token)
        {
            Paused = reason =>
            {
                _logger.StatePaused(reason);
                _idle.Set();
            },
            Resumed = () =>
            {
                _logger.StateResumed();
                Eased();
            },
        };
        AgentState state = AgentState.Open(_files, _options, _time, _random, _logger, pause);
        var generations = new Generations(state.Registry);
        foreach (InflightEntry entry in state.Found.Where(e => !e.IsAgain))
        {
            generations.Restore(entry);
        }
        _running = AgentParts.Build(new AgentEnvironment(_options, _files, _connector, _time, _random, _logger, _watch), state, generations, SpoolPause, Attach);
        await state.StartingAsync();
        foreach (IGrouping<TopicPartitionKey, InflightEntry> log in state.Found.GroupBy(e => new TopicPartitionKey(e.Topic, e.Partition)))
        {
            AddShipper(log.Key, log);
        }
        foreach (LogRecord log in state.IsDamaged ? state.Registry.Logs.ToList() : [])
        {
            ShipperOf(new TopicPartitionKey(log.Topic, log.Partition));
        }
        int unsettled = state.Found.Count(e => !e.IsAcked);
        // The registry knows an agent id that is new.
        await state.SavedAsync();
        await _running.Resume.RunAsync();
        state.Resumed();
        await _running.Looks.LookAtAllAsync();
        _logger.Started(state.AgentId, _options.Host, FilesFollowed, unsettled);
        if (_watch is not null)
        {
            _watch.Hint = FromAnywhere<string?>(static (looks, path) => looks.Written(path));
            _watch.Named = FromAnywhere<NameChange>(static (looks, change) => looks.Note(change));
        }
        Start(_running.Looks.RunAsync(_stopReading.Token));
        Start(_running.Reads.RunAsync(_stopReading.Token));
        Start(_running.Deleted.RunAsync(_stopReading.Token));
        Start(NoteProgressAsync(_stopped.Token));
        Start(_running.Monitor.RunAsync(_stopped.Token));
        if (!_running.Sources.IsEmpty)
        {
            Func<SourceOptions, ILineSource> make = MakeSource ?? throw new InvalidOperationException("There are inputs that are no files, and nothing that reads them.");
            Start(_running.Sources.RunAsync(make, _logger, _stopReading.Token));
        }
        if (_running.Publisher is StatusPublisher publisher)
        {
            Start(publisher.RunAsync(_stopped.Token));
        }
    }

    /// <summary>Ships what was read, as far as it is acked within <paramref name="grace"/>, notes progress and lets go of everything.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        _stopReading.Cancel();
        if (_running is not AgentParts running || _stopped.IsCancellationRequested)
        {
            return;
        }
        running.Reads.CloseAll();
        long begin = _time.GetTimestamp();
        while (_shippers.Values.Any(s => !s.IsIdle) && grace - _time.GetElapsedTime(begin) is { Ticks: > 0 } rest)
        {
            await _idle.WaitAsync(rest, _time, CancellationToken.None);
        }
        Task noted = NoteAllAsync(running.State, running.Sources);
        // A disk that refuses is not waited for, as the next start finds out what it does not have; but what sources gave nobody has any more.
        while (!noted.IsCompleted && (running.Sources.IsPaused || !running.State.Pause.IsPaused))
        {
            TimeSpan rest = running.Sources.IsPaused ? grace - _time.GetElapsedTime(begin) : Timeout.InfiniteTimeSpan;
            if (running.Sources.IsPaused && rest <= TimeSpan.Zero)
            {
                break;
            }
            await _idle.WaitAsync(rest, _time, CancellationToken.None);
        }
        _stopped.Cancel();
        await noted;
        running.Sources.TellLost(_logger);
        await running.Cluster.DisposeAsync();
        await Task.WhenAll(_loops);
        await (running.Publisher?.StopAsync() ?? Task.CompletedTask);
        foreach (TailedFile file in running.Table.Files)
        {
            running.Handles.Close(file);
        }
        running.Copies.CloseAll();
        running.Sources.Dispose();
        running.Shipping.Builders.Dispose();
        running.State.Dispose();
        running.Metrics.Dispose();
    }

    private async Task NoteAllAsync(AgentState state, SourceSet sources)
    {
        try
        {
            await sources.SettleAsync();
            await state.Inflight.DurableAsync();
            await state.SavedAsync();
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
        }
        finally
        {
            _idle.Set();
        }
    }

    /// <summary>Stops without grace, if it was not stopped.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _stopReading.Dispose();
        _stopped.Dispose();
    }

    /// <summary>Lets go of the meter, which the runtime would keep for ever, and of nothing else: what a crash does.</summary>
    internal void Abandon() => _running?.Metrics.Dispose();

    private LogShipper ShipperOf(TopicPartitionKey key) => _shippers.TryGetValue(key, out LogShipper? known) ? known : AddShipper(key, []);

    private LogShipper AddShipper(TopicPartitionKey key, IEnumerable<InflightEntry> found)
    {
        var shipper = new LogShipper(key, _running!.Shipping, found) { Eased = Eased };
        _shippers.Add(key, shipper);
        Start(shipper.RunAsync(_stopped.Token));
        return shipper;
    }

    /// <summary>What a disk that refuses means for a source: it waits, and what it has spooled is read and sent on.</summary>
    private DiskPause SpoolPause(string source) => new(_time, Fatal, _stopped.Token)
    {
        Paused = reason =>
        {
            _logger.SpoolPaused(source, reason);
            _idle.Set();
        },
        Resumed = () => _logger.SpoolResumed(source),
    };

    private void Eased()
    {
        _running?.Reads.Wake();
        _idle.Set();
    }

    /// <summary>Gives a file its log, or asks for its topic's partitions first.</summary>
    private void Attach(TailedFile file)
    {
        Generation generation = file.Generation;
        if (generation.Partition >= 0)
        {
            file.Log = ShipperOf(new TopicPartitionKey(generation.Topic, generation.Partition));
        }
        else if (_topicsAsked.Add(generation.Topic))
        {
            Start(AskPartitionsAsync(generation.Topic));
        }
    }

    private async Task AskPartitionsAsync(string topic)
    {
        string subject = $"topic {topic}";
        Troubles troubles = _running!.Shipping.Troubles;
        bool isTold = false;
        void Failed(Exception fault)
        {
            // That a broker cannot be reached was told already.
            if (troubles.Report(subject, fault.Message) && fault is not BrokerUnreachableException)
            {
                isTold = true;
                _logger.TopicUnavailable(topic, fault.Message);
            }
        }
        int count = await _running.Shipping.Directory.PartitionsAsync(topic, Failed, _stopped.Token);
        if (troubles.Clear(subject) is TimeSpan away && isTold)
        {
            _logger.ServedAgain(subject, Math.Round(away.TotalSeconds, 1));
        }
        _running.Births.AssignPartitions(topic, count);
        _running.Looks.Placed();
    }

    private async Task NoteProgressAsync(CancellationToken stopped)
    {
        AgentState state = _running!.State;
        // At once, beside the first reads: until then a start after a kill looks for what was missed since the run before.
        await state.StartedAsync();
        while (true)
        {
            await Task.Delay(_options.RegistryInterval, _time, stopped);
            await _running.Sources.TidyAsync(_running.Table, state);
            if (_running.Sources.IsSent)
            {
                SourcesSent?.Invoke();
            }
            if (state.Inflight.AwaitsSnapshot(state.SnapshotTime))
            {
                await state.SnapshotAsync();
            }
            else if (!state.Registry.Changes.IsEmpty || state.Inflight.HasPending)
            {
                await state.SavedAsync();
            }
            await state.Inflight.TrimAsync(
                state.SnapshotTime, segment => _shippers.Values.SelectMany(s => s.Unacked).Where(e => e.Place.Segment == segment));
        }
    }

    /// <summary>Takes what a watch tells on a thread of its own to the agent's context.</summary>
    private Action<T> FromAnywhere<T>(Action<LookLoop, T> tell)
    {
        SynchronizationContext context = SynchronizationContext.Current
            ?? throw new InvalidOperationException("An agent with a file watch needs a synchronization context that runs one thing at a time.");
        LookLoop looks = _running!.Looks;
        return told => context.Post(_ => tell(looks, told), null);
    }

    private void Start(Task loop) => _loops.Add(GuardAsync(loop));

    private async Task GuardAsync(Task loop)
    {
        try
        {
            await loop;
        }
        catch (OperationCanceledException) when (_stopReading.IsCancellationRequested)
        {
        }
        catch (Exception fault)
        {
            Fatal(fault);
        }
    }

    private void Fatal(Exception fault)
    {
        if (!_stopped.IsCancellationRequested)
        {
            _stopReading.Cancel();
            _stopped.Cancel();
            _onFatal(fault);
        }
    }
}
