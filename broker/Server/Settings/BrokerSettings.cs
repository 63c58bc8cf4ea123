using System.Globalization;
using LogPipeline.Files;

namespace LogPipeline.Broker.Settings;

/// <summary>The broker's settings: what was changed while it runs, over what was given at its start, over the defaults.</summary>
public sealed class BrokerSettings
{
    private readonly Dictionary<string, string> _given;
    private volatile DynamicSettings _dynamic = DynamicSettings.None;

    /// <summary>Checks names and values.</summary>
    /// <exception cref="BrokerStartException">A name is unknown, the message says the nearest known one; or a value is not allowed.</exception>
    public BrokerSettings(IReadOnlyDictionary<string, string> given)
    {
        _given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in given.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            SettingDefinition definition = BrokerSettingTable.Find(name) ?? throw new BrokerStartException(
                $"Unknown broker setting {name}; {Advice(name)}");
            if (definition.Problem(value) is { } problem)
            {
                throw new BrokerStartException(problem);
            }
            _given[name] = value.Trim();
        }
    }

    /// <summary>The names that it takes.</summary>
    public static IEnumerable<string> Names => BrokerSettingTable.All.Select(static setting => setting.Name);

    /// <summary>Whether it takes a setting of this name.</summary>
    public static bool IsKnown(string name) => BrokerSettingTable.Find(name) is not null;

    /// <summary>What to say of each setting that was given and changes nothing here.</summary>
    public IEnumerable<string> WithoutEffect => _given.OrderBy(static given => given.Key, StringComparer.Ordinal)
        .Select(static given => BrokerSettingTable.Find(given.Key)!.RemarkOn(given.Value)).OfType<string>();

    public int NodeId => Int("node.id");

    public string? Listeners => Value("listeners");

    public string? AdvertisedListeners => Value("advertised.listeners");

    public string? ListenerProtocols => Value("listener.security.protocol.map");

    public string? ControllerListeners => Value("controller.listener.names");

    public string? InterBrokerListener => Value("inter.broker.listener.name");

    public int PartitionsDefault => Int("num.partitions");

    public bool AutoCreateTopics => Bool("auto.create.topics.enable");

    public bool DeleteTopics => Bool("delete.topic.enable");

    public int RequestBytesMax => Int("socket.request.max.bytes");

    public int ConnectionsMax => Int("max.connections");

    public TimeSpan ConnectionIdleMax => Milliseconds("connections.max.idle.ms");

    public int FetchBytesMax => Int("fetch.max.bytes");

    public int FetchSessionsMax => Int("max.incremental.fetch.session.cache.slots");

    /// <summary>In characters, whatever the setting is called, as in Kafka.</summary>
    public int OffsetMetadataLengthMax => Int("offset.metadata.max.bytes");

    public int OffsetsPartitions => Int("offsets.topic.num.partitions");

    public TimeSpan OffsetsRetention => TimeSpan.FromMinutes(Int("offsets.retention.minutes"));

    public TimeSpan OffsetsRetentionCheckInterval => Milliseconds("offsets.retention.check.interval.ms");

    public string OffsetsSegmentBytes => Value("offsets.topic.segment.bytes")!;

    public TimeSpan SessionTimeoutMin => Milliseconds("group.min.session.timeout.ms");

    public TimeSpan SessionTimeoutMax => Milliseconds("group.max.session.timeout.ms");

    public TimeSpan InitialRebalanceDelay => Milliseconds("group.initial.rebalance.delay.ms");

    public int GroupSizeMax => Int("group.max.size");

    public TimeSpan ProducerIdExpiration => Milliseconds("producer.id.expiration.ms");

    public long ReservedBytes => long.Parse(Value("log.reserved.bytes")!, CultureInfo.InvariantCulture);

    public TimeSpan RetentionCheckInterval => Milliseconds("log.retention.check.interval.ms");

    /// <summary>Bytes that all logs together may have; null when there is no such limit.</summary>
    public long? RetentionTotalBytes => long.Parse(Value("log.retention.total.bytes")!, CultureInfo.InvariantCulture) is >= 0 and var limit ? limit : null;

    /// <summary>Bytes of segments that a scrub reads in a second; 0: it reads none.</summary>
    public long ScrubBytesPerSecond => long.Parse(Value("log.scrub.bytes.per.second")!, CultureInfo.InvariantCulture);

    public TimeSpan FlushInterval => Milliseconds("log.flush.interval.ms");

    public string Flush => Value("log.flush")!;

    public int JournalBatchBytesMax => Int("log.journal.batch.max.bytes");

    public long JournalBytes => long.Parse(Value("log.journal.bytes")!, CultureInfo.InvariantCulture);

    /// <summary>What was changed while the broker runs; replaced whole once the change is durable.</summary>
    internal DynamicSettings Dynamic
    {
        get => _dynamic;
        set => _dynamic = value;
    }

    /// <summary>The value in force: changed at run time, else given, else derived, else the default; null when there is none.</summary>
    public string? Value(string name) => _dynamic.Value(name)
        ?? (_given.TryGetValue(name, out string? value) ? value : Derived(name) ?? BrokerSettingTable.Find(name)!.Default);

    /// <summary>Every value that a setting has somewhere, the one in force first; what stands behind it would count without it.</summary>
    internal IEnumerable<(string Value, SettingSource Source)> Values(string name)
    {
        DynamicSettings changed = _dynamic;
        if (changed.OfBroker.TryGetValue(name, out string? ofBroker))
        {
            yield return (ofBroker, SettingSource.DynamicBroker);
        }
        if (changed.OfCluster.TryGetValue(name, out string? ofCluster))
        {
            yield return (ofCluster, SettingSource.DynamicCluster);
        }
        if (_given.TryGetValue(name, out string? given))
        {
            yield return (given, SettingSource.StaticBroker);
        }
        if ((Derived(name) ?? BrokerSettingTable.Find(name)!.Default) is { } fallback)
        {
            yield return (fallback, SettingSource.Default);
        }
    }

    /// <summary>Kafka's settings that may be said in several units: the finest given one counts.</summary>
    private string? Derived(string name) => name switch
    {
        "log.retention.ms" => _given.ContainsKey("log.retention.minutes")
            ? Scaled("log.retention.minutes", 60_000)
            : Scaled("log.retention.hours", 3_600_000),
        "log.roll.ms" => Scaled("log.roll.hours", 3_600_000),
        _ => null,
    };

    private string Scaled(string name, long factor)
    {
        long value = long.Parse(Value(name)!, CultureInfo.InvariantCulture);
        return (value < 0 ? -1 : value * factor).ToString(CultureInfo.InvariantCulture);
    }

    private int Int(string name) => int.Parse(Value(name)!, CultureInfo.InvariantCulture);

    private bool Bool(string name) => bool.Parse(Value(name)!);

    private TimeSpan Milliseconds(string name) => TimeSpan.FromMilliseconds(long.Parse(Value(name)!, CultureInfo.InvariantCulture));

    private static string Advice(string name) => NearestName.Find(name, Names) is { } near
        ? $"did you mean {near}?"
        : "settings have Kafka's own names, such as num.partitions";
}
