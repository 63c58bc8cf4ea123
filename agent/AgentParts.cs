using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Status;
using LogPipeline.Agent.Tailing;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent;

/// <summary>What a started agent is made of.</summary>
internal sealed record AgentParts(
    AgentState State, ClusterClient Cluster, FileTable Table, FileHandles Handles, FileCopies Copies, FileBirths Births, Resume Resume,
    ReadLoop Reads, LookLoop Looks, DeletedFiles Deleted, ShippingParts Shipping, AgentMetrics Metrics, AgentMonitor Monitor, AgentReporter Reporter, StatusPublisher? Publisher, SourceSet Sources)
{
    /// <summary>How long finding a topic or a leader may take before the reason is told and it is tried from the start.</summary>
    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Makes all parts, and ties those together that call each other.</summary>
    /// <param name="environment">What the agent is given.</param>
    /// <param name="state">Its state, open.</param>
    /// <param name="generations">What the state knows of files.</param>
    /// <param name="spoolPause">Makes what a disk that refuses means for the spool of a source of that name.</param>
    /// <param name="attach">Called with a file that needs a log.</param>
    public static AgentParts Build(
        AgentEnvironment environment, AgentState state, Generations generations, Func<string, DiskPause> spoolPause, Action<TailedFile> attach)
    {
        (AgentOptions options, IFileSystem files, IConnector connector, TimeProvider time, Random random, ILogger logger, IFileWatch? watch) = environment;
        var brokers = new BrokerWatch(time, logger);
        var clientOptions = new ClientOptions
        {
            Bootstrap = options.Bootstrap,
            ClientId = "logpipe-agent",
            RequestTimeout = options.RequestTimeout,
            LookupTimeout = LookupTimeout,
            Tried = brokers.Tried,
        };
        var cluster = new ClusterClient(clientOptions, connector, time, random);
        var budget = new UnackedBudget(options.UnackedBytesMax);
        AgentMonitor? monitor = null;
        var sources = new SourceSet(options, files, generations.All, spoolPause);
        var metrics = new AgentMetrics(
            () => monitor!.Lag, () => monitor!.FilesOpen, () => monitor!.FilesWaiting, () => budget.Bytes, () => state.Pause.IsPaused ? 1 : 0,
            () => monitor!.Problems.Count, () => sources.Bytes, () => sources.Dropped, () => monitor!.DeletedBytes);
        var troubles = new Troubles(time);
        var shipping = new ShippingParts(
            options, state, generations, cluster, new LogDirectory(cluster, options, time, random), budget,
            new BatchBuilders(ShippingParts.CodecOf(options), options.BatchBytes), metrics, troubles, time, logger);
        var rules = new PathRules(options);
        var packed = new PackedFiles(files, options);
        var probe = new FileProbe(sources.IsEmpty ? files : new SpoolView(files, sources.Spools), metrics, logger) { Packed = packed };
        var table = new FileTable(rules, options, state);
        var handles = new FileHandles(files, probe, table, options, time, logger);
        var births = new FileBirths(rules, table, handles, state, generations, options, time, metrics, logger);
        var copies = new FileCopies(probe, table, handles, births, generations, options, time);
        var archives = new Archives(files, probe, options, time, logger);
        var lives = new FileLives(table, handles, births, copies, archives, packed, state, generations, time, metrics, logger);
        var news = new NewFiles(rules, probe, table, handles, births, lives, copies, generations, state, options, time, metrics, logger);
        var passing = new PassingFiles(rules, probe, table, news, time, metrics, logger);
        var tailer = new Tailer(rules, probe, table, handles, lives, copies, news, passing, generations, state, options, time, logger);
        var missed = new MissedRotations(rules, probe, table, handles, births, lives, archives, state, generations, time, metrics, logger);
        var resume = new Resume(rules, probe, table, handles, lives, missed, new MovedDirectories(files), archives, packed, tailer, generations, state, logger);
        var reads = new ReadLoop(new FileReader(options, time, metrics, logger), probe, table, handles, tailer, options, time);
        var looks = new LookLoop(tailer, passing, missed, births, table, state, options, watch, time) { Attach = attach };
        foreach (Spool spool in sources.Spools)
        {
            spool.Grown = looks.Hint;
        }
        news.Check = (file, status) => tailer.Check(file, status);
        tailer.Ready = reads.Add;
        tailer.Hurry = () => looks.Hint(null);
        var deleted = new DeletedFiles(packed, table, lives, options, time, metrics, logger);
        monitor = new AgentMonitor(table, handles, probe, brokers, troubles, sources, deleted, state, options, time, logger);
        var verdicts = new FileVerdicts(handles, probe, brokers, troubles, state);
        var reporter = new AgentReporter(monitor, verdicts, table, copies, probe, generations, state, options, metrics, time);
        StatusPublisher? publisher = options.StatusTopic is not string topic ? null : new StatusPublisher(
            topic, reporter, monitor, new ClusterClient(StatusPublisher.ClientOptionsOf(options, brokers), connector, time, random), state, time, logger);
        return new AgentParts(state, cluster, table, handles, copies, births, resume, reads, looks, deleted, shipping, metrics, monitor, reporter, publisher, sources);
    }
}

/// <summary>What an agent is given.</summary>
/// <param name="Options">What to do.</param>
/// <param name="Files">The disk.</param>
/// <param name="Connector">The network.</param>
/// <param name="Time">The clock.</param>
/// <param name="Random">Chance: ids and jitter.</param>
/// <param name="Logger">Where lines about the agent go.</param>
/// <param name="Watch">Hints of changed files; null = only sweeps.</param>
internal sealed record AgentEnvironment(
    AgentOptions Options, IFileSystem Files, IConnector Connector, TimeProvider Time, Random Random, ILogger Logger, IFileWatch? Watch);
