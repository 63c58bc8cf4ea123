using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Status;
using LogPipeline.Agent.Tailing;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
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
    /// <summary>How long finding a topic or a leader may take before the reason is told and it is tried from the start.</summary>
    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(10);

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
    private Running? _running;

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

    /// <summary>What a started agent is made of.</summary>
    private sealed record Running(
        AgentState State, ClusterClient Cluster, FileTable Table, FileHandles Handles, FileCopies Copies, FileBirths Births, Resume Resume,
        ReadLoop Reads, LookLoop Looks, DeletedFiles Deleted, ShippingParts Parts, AgentMetrics Metrics, AgentMonitor Monitor, AgentReporter Reporter, StatusPublisher? Publisher, SourceSet Sources);

    /// <summary>Makes the loops that feed the spools of inputs that are no files.</summary>
    internal Func<SourceOptions, ILineSource>? MakeSource { get; init; }

    /// <summary>Called when every source has ended and all that they gave is acked.</summary>
    internal Action? SourcesSent { get; init; }

    /// <summary>Files that are followed now.</summary>
    public int FilesFollowed => _running?.Table.FollowedCount ?? 0;

    /// <summary>Whether all that the files held at the last look is acked, up to each file's last line feed.</summary>
    public bool IsCaughtUp =>
        _running is Running r
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
        var pause = new StatePause(_time, _logger, Fatal, _stopped.Token);
        AgentState state = AgentState.Open(_files, _options, _time, _random, _logger, pause);
        var generations = new Generations(state.Registry);
        foreach (InflightEntry entry in state.Found.Where(e => !e.IsAgain))
        {
            generations.Restore(entry);
        }
        _running = Build(state, generations);
        (pause.Paused, pause.Resumed) = (_idle.Set, Eased);
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
        if (_running is not Running running || _stopped.IsCancellationRequested)
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
        // A disk that refuses is not waited for: what it does not have the next start finds out.
        while (!noted.IsCompleted && !running.State.Pause.IsPaused && !running.Sources.IsPaused)
        {
            await _idle.WaitAsync(CancellationToken.None);
        }
        _stopped.Cancel();
        await noted;
        await running.Cluster.DisposeAsync();
        await Task.WhenAll(_loops);
        await (running.Publisher?.StopAsync() ?? Task.CompletedTask);
        foreach (TailedFile file in running.Table.Files)
        {
            running.Handles.Close(file);
        }
        running.Copies.CloseAll();
        running.Sources.Dispose();
        running.Parts.Builders.Dispose();
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

    private Running Build(AgentState state, Generations generations)
    {
        var brokers = new BrokerWatch(_time, _logger);
        var clientOptions = new ClientOptions
        {
            Bootstrap = _options.Bootstrap,
            ClientId = "logpipe-agent",
            RequestTimeout = _options.RequestTimeout,
            LookupTimeout = LookupTimeout,
            Tried = brokers.Tried,
        };
        var cluster = new ClusterClient(clientOptions, _connector, _time, _random);
        var budget = new UnackedBudget(_options.UnackedBytesMax);
        AgentMonitor? monitor = null;
        var sources = new SourceSet(_options, _files, generations.All, source => new StatePause(_time, _logger, Fatal, _stopped.Token, source) { Paused = _idle.Set });
        var metrics = new AgentMetrics(
            () => monitor!.Lag, () => monitor!.FilesOpen, () => monitor!.FilesWaiting, () => budget.Bytes, () => state.Pause.IsPaused ? 1 : 0,
            () => monitor!.Problems.Count, () => sources.Bytes, () => sources.Dropped, () => monitor!.DeletedBytes);
        var troubles = new Troubles(_time);
        var parts = new ShippingParts(
            _options, state, generations, cluster, new LogDirectory(cluster, _options, _time, _random), budget,
            new BatchBuilders(ShippingParts.CodecOf(_options), _options.BatchBytes), metrics, troubles, _time, _logger);
        var rules = new PathRules(_options);
        var packed = new PackedFiles(_files, _options);
        var probe = new FileProbe(sources.IsEmpty ? _files : new SpoolView(_files, sources.Spools), metrics, _logger) { Packed = packed };
        var table = new FileTable(rules, _options, state);
        var handles = new FileHandles(_files, probe, table, _options, _time, _logger);
        var births = new FileBirths(rules, table, handles, state, generations, _options, _time, metrics, _logger);
        var copies = new FileCopies(probe, table, handles, births, generations, _options, _time);
        var archives = new Archives(_files, probe, _options, _logger);
        var lives = new FileLives(table, handles, births, copies, archives, packed, state, generations, _time, metrics, _logger);
        var news = new NewFiles(rules, probe, table, handles, births, lives, copies, generations, state, _options, _time, metrics, _logger);
        var passing = new PassingFiles(rules, probe, table, news, _time, metrics, _logger);
        var tailer = new Tailer(rules, probe, table, handles, lives, copies, news, passing, generations, state, _options, _time, _logger);
        var missed = new MissedRotations(rules, probe, table, handles, births, archives, state, generations, metrics, _logger);
        var resume = new Resume(rules, probe, table, handles, lives, missed, archives, packed, tailer, generations, state, _logger);
        var reads = new ReadLoop(new FileReader(_options, _time, metrics, _logger), probe, table, handles, tailer, _options, _time);
        var looks = new LookLoop(tailer, passing, births, table, state, _options, _watch, _time) { Attach = Attach };
        foreach (Spool spool in sources.Spools)
        {
            spool.Grown = looks.Hint;
        }
        news.Check = (file, status) => tailer.Check(file, status);
        tailer.Ready = reads.Add;
        tailer.Hurry = () => looks.Hint(null);
        var deleted = new DeletedFiles(packed, table, lives, _options, _time, metrics, _logger);
        monitor = new AgentMonitor(table, handles, probe, brokers, troubles, sources, deleted, state, _options, _time, _logger);
        var verdicts = new FileVerdicts(handles, probe, brokers, troubles, state);
        var reporter = new AgentReporter(monitor, verdicts, table, copies, probe, generations, state, _options, metrics, _time);
        StatusPublisher? publisher = _options.StatusTopic is not string topic ? null : new StatusPublisher(
            topic, reporter, monitor, new ClusterClient(StatusPublisher.ClientOptionsOf(_options, brokers), _connector, _time, _random), state, _time, _logger);
        return new Running(state, cluster, table, handles, copies, births, resume, reads, looks, deleted, parts, metrics, monitor, reporter, publisher, sources);
    }

    private LogShipper ShipperOf(TopicPartitionKey key) => _shippers.TryGetValue(key, out LogShipper? known) ? known : AddShipper(key, []);

    private LogShipper AddShipper(TopicPartitionKey key, IEnumerable<InflightEntry> found)
    {
        var shipper = new LogShipper(key, _running!.Parts, found) { Eased = Eased };
        _shippers.Add(key, shipper);
        Start(shipper.RunAsync(_stopped.Token));
        return shipper;
    }

    private void Eased()
    {
        _running!.Reads.Wake();
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
        Troubles troubles = _running!.Parts.Troubles;
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
        int count = await _running.Parts.Directory.PartitionsAsync(topic, Failed, _stopped.Token);
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
