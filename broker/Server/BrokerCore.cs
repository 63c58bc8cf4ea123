using System.Buffers.Binary;
using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Conversion;
using LogPipeline.Broker.Fetching;
using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Maintenance;
using LogPipeline.Broker.Network;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Requests;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Broker;

// The broker without sockets: topics, groups and one handler per API over one data directory. The socket server and the simulator
// both drive it, one ConnectionLoop per client. Every part it owns is safe to call from any thread.
/// <summary>Answers requests.</summary>
public sealed class BrokerCore : IDisposable
{
    private readonly DataDirectory _directory;
    private readonly TimeProvider _time;
    private readonly RequestPipeline _pipeline;
    private readonly ClusterMetadata _cluster;
    private readonly TopicRegistry _topics;
    private readonly OffsetsTopic _offsets;
    private readonly GroupCoordinator _groups;
    private readonly MaintenanceLoop _maintenance;
    private readonly LogScrub _scrub;
    private readonly BrokerHealth _health;

    private BrokerCore(
        BrokerOptions options,
        BrokerSettings settings,
        IReadOnlyList<Listener> listeners,
        DataDirectory directory,
        ClusterMetadata cluster,
        TopicRegistry topics,
        TimeProvider time,
        Random random)
    {
        _directory = directory;
        _cluster = cluster;
        _topics = topics;
        _time = time;
        Settings = settings;
        Listeners = listeners;
        Logger = LoggerOf(options);
        Telemetry = new BrokerTelemetry(EndOffsets, () => _directory.IsShortOfSpace, () => _directory.DamagedBatchesFound);
        Heap = new HeapTrimmer(time);
        _offsets = new OffsetsTopic(topics, settings, time);
        _groups = new GroupCoordinator(new GroupServices(settings, time, new MemberIds(new Random(random.Next())), _offsets, Telemetry, Logger));
        _groups.Load(topics.Find(TopicName.Offsets));
        _groups.Start();
        topics.Deleted += topic => _groups.ForgetTopic(topic.Name);
        _pipeline = new RequestPipeline(Telemetry, Logger, time);
        foreach (IRequestHandler handler in Handlers(random))
        {
            _pipeline.Add(handler);
        }
        _maintenance = new MaintenanceLoop(
            directory,
            new LogRetention(directory, topics, settings, time, Telemetry, Logger),
            new OffsetsRewrite(directory, topics, _groups, Logger),
            new OfflinePartitions(directory, topics, Logger),
            settings,
            time,
            OnFatalOf(options));
        _maintenance.Start();
        _scrub = new LogScrub(topics, settings, time, Telemetry, Logger, OnFatalOf(options));
        _scrub.Start();
        _health = new BrokerHealth(cluster, topics, directory);
    }

    /// <summary>The settings in force.</summary>
    public BrokerSettings Settings { get; }

    /// <summary>The addresses to serve, as the settings say; at least one.</summary>
    public IReadOnlyList<Listener> Listeners { get; }

    /// <summary>The broker's metrics.</summary>
    public BrokerTelemetry Telemetry { get; }

    /// <summary>22 characters, made when the data directory was.</summary>
    public string ClusterId => _directory.ClusterId;

    /// <summary>What keeps it from doing all it should, in one line; null when all is well.</summary>
    public string? Problem => _health.Problem;

    internal ILogger Logger { get; }

    internal HeapTrimmer Heap { get; }

    internal TopicRegistry Topics => _topics;

    /// <summary>The parts around the handlers.</summary>
    internal RequestPipeline Pipeline => _pipeline;

    /// <summary>Stops to serve an API, as a broker that never knew it. Before the first connection only.</summary>
    internal void Withdraw(ApiKey api) => _pipeline.Remove(api);

    internal GroupCoordinator Groups => _groups;

    internal MaintenanceLoop Maintenance => _maintenance;

    internal LogScrub Scrub => _scrub;

    /// <summary>Opens the data directory, recovers it after a crash and loads topics and groups.</summary>
    /// <exception cref="BrokerStartException">A setting is wrong, a listener cannot be served, or the directory is locked or damaged.</exception>
    public static BrokerCore Open(BrokerOptions options, IFileSystem files, TimeProvider time, Random random)
    {
        ILogger logger = LoggerOf(options);
        var settings = new BrokerSettings(options.Settings);
        IReadOnlyList<Listener> listeners = ListenerSettings.Read(settings, options);
        foreach (string remark in settings.WithoutEffect)
        {
            logger.SettingWithoutEffect(remark);
        }
        Action<Exception> onFatal = OnFatalOf(options);
        DataDirectory? directory = null;
        try
        {
            files.CreateDirectory(options.DataDirectory);
            var opening = new ClusterOpening(files, options.DataDirectory, settings, time, logger);
            directory = opening.Open(onFatal, new Random(random.Next()));
            ClusterMetadata cluster = opening.Start(directory, listeners);
            var topics = new TopicRegistry(directory, cluster, settings, new Random(random.Next()), logger);
            topics.Load();
            return new BrokerCore(options, settings, listeners, directory, cluster, topics, time, random);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            directory?.Dispose();
            throw new BrokerStartException(e.Message, e);
        }
    }

    /// <summary>Whether a request may be started while earlier ones of its connection are unanswered: produce requests may.</summary>
    public static bool MayOverlap(ReadOnlyMemory<byte> frame) =>
        KeyOf(frame) is ApiKey.Produce;

    /// <summary>Whether a request neither waits for the disk nor computes for long before it awaits something.</summary>
    public static bool IsShort(ReadOnlyMemory<byte> frame) =>
        KeyOf(frame) is ApiKey.Produce or ApiKey.Fetch or ApiKey.Heartbeat or ApiKey.ApiVersions;

    /// <summary>Answers one request, given as a frame without its size; null when it wants no answer.</summary>
    /// <exception cref="CloseConnectionException">The connection must be closed.</exception>
    /// <exception cref="MalformedMessageException">The same: the frame is not what its header says.</exception>
    public ValueTask<FrameBuffer?> HandleAsync(ClientConnection connection, ReadOnlyMemory<byte> frame, CancellationToken cancellation) =>
        _pipeline.HandleAsync(connection, frame, cancellation);

    /// <summary>Flushes everything and leaves the mark of a clean stop.</summary>
    public async Task CloseAsync()
    {
        _groups.Close();
        await _maintenance.CloseAsync();
        await _scrub.CloseAsync();
        await _directory.CloseAsync();
    }

    /// <summary>Lets go of the directory.</summary>
    public void Dispose()
    {
        _groups.Close();
        _maintenance.Dispose();
        _scrub.Dispose();
        _directory.Dispose();
        Heap.Dispose();
        Telemetry.Dispose();
    }

    private IEnumerable<IRequestHandler> Handlers(Random random)
    {
        var alteration = new ConfigAlteration(_cluster, _topics, Settings, _directory.NodeId);
        var sessions = new FetchSessions(Settings.FetchSessionsMax, _time, new Random(random.Next()));
        yield return new ApiVersionsHandler(() => _pipeline.Served, _cluster);
        var memory = new ConversionMemory();
        yield return new ProduceHandler(_topics, new AppendConversion(memory, Telemetry), Telemetry, Logger);
        yield return new FetchHandler(_topics, Settings, sessions, new FetchConversion(memory, Telemetry, Logger), _time);
        yield return new ListOffsetsHandler(_topics, _time, Logger);
        yield return new MetadataHandler(_cluster, _topics, Settings);
        yield return new CreateTopicsHandler(_cluster, _topics, Settings);
        yield return new DeleteTopicsHandler(_topics, Settings);
        yield return new CreatePartitionsHandler(_topics, _directory.NodeId);
        yield return new DeleteRecordsHandler(_topics, _directory, Logger);
        yield return new InitProducerIdHandler(_directory.NextProducerId);
        yield return new OffsetForLeaderEpochHandler(_topics);
        yield return new DescribeConfigsHandler(_cluster, Settings);
        yield return new AlterConfigsHandler(alteration);
        yield return new IncrementalAlterConfigsHandler(alteration);
        yield return new DescribeLogDirsHandler(_topics, _directory);
        yield return new DescribeClusterHandler(_cluster);
        yield return new DescribeProducersHandler(_topics);
        yield return new DescribeTopicPartitionsHandler(_cluster);
        yield return new DescribeQuorumHandler(_cluster, _directory, _time);
        yield return new ElectLeadersHandler(_cluster);
        yield return new AlterPartitionReassignmentsHandler(_cluster);
        yield return new ListPartitionReassignmentsHandler();
        yield return new UpdateFeaturesHandler(_cluster, _directory.NodeId);
        yield return new ListConfigResourcesHandler(_cluster);
        yield return new FindCoordinatorHandler(_cluster, _offsets);
        yield return new JoinGroupHandler(_groups, Settings);
        yield return new SyncGroupHandler(_groups);
        yield return new HeartbeatHandler(_groups);
        yield return new LeaveGroupHandler(_groups);
        yield return new ListGroupsHandler(_groups);
        yield return new DescribeGroupsHandler(_groups);
        yield return new DeleteGroupsHandler(_groups);
        yield return new OffsetCommitHandler(_topics, _groups, Settings, _time);
        yield return new OffsetFetchHandler(_topics, _groups);
        yield return new OffsetDeleteHandler(_topics, _groups);
    }

    private IEnumerable<(string Topic, int Partition, long EndOffset)> EndOffsets() =>
        from topic in _topics.All
        from partition in topic.Partitions
        where partition.Role != PartitionRole.Offline
        select (topic.Name, partition.Number, partition.LogEndOffset);

    private static ApiKey? KeyOf(ReadOnlyMemory<byte> frame) =>
        frame.Length >= 2 ? (ApiKey)BinaryPrimitives.ReadInt16BigEndian(frame.Span) : null;

    internal static Action<Exception> OnFatalOf(BrokerOptions options) =>
        options.OnFatal ?? (static e => Environment.FailFast("The broker cannot go on.", e));

    internal static ILogger LoggerOf(BrokerOptions options) =>
        options.LoggerFactory?.CreateLogger("LogPipeline.Broker") ?? NullLogger.Instance;
}
