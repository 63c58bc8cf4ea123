using System.Globalization;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Settings;

/// <summary>The settings of one topic: what was given for it over the broker's defaults.</summary>
internal sealed class TopicSettings(BrokerSettings broker, IReadOnlyDictionary<string, string> given)
{
    /// <summary>Settings may be as large as an i64; times beyond a century would overflow and mean the same.</summary>
    private const long CenturyMs = 36525L * 24 * 60 * 60 * 1000;

    private RecordSettings? _records; // replaced whole

    /// <summary>What was given for the topic, kept durably; by name in ordinal order.</summary>
    public SortedDictionary<string, string> Given { get; } = new(given.ToDictionary(), StringComparer.Ordinal);

    /// <summary>What is wrong with these settings, in Kafka's words; null when nothing is.</summary>
    public static string? Problem(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        foreach ((string name, string? value) in settings)
        {
            if (TopicSettingTable.Find(name) is not { } definition)
            {
                return $"Unknown topic config name: {name}";
            }
            if (value is null)
            {
                return $"Null value not supported for topic configs: {name}";
            }
            if (definition.Problem(value) is { } problem)
            {
                return problem;
            }
        }
        return null;
    }

    /// <summary>The value in force.</summary>
    public string? Value(SettingDefinition setting) =>
        Given.TryGetValue(setting.Name, out string? value) ? value : Inherited(setting);

    /// <summary>The value without what was given for the topic.</summary>
    public string? Inherited(SettingDefinition setting) =>
        setting.BrokerName is { } name && BrokerSettingTable.Find(name) is not null ? broker.Value(name) : setting.Default;

    /// <summary>Whether old records go (cleanup.policy); a topic that is only compacted keeps the last record of each key.</summary>
    public bool DeletesOldRecords => HasPolicy("delete");

    /// <summary>How records are kept and handed out, for every request to ask.</summary>
    public RecordSettings Records
    {
        get
        {
            DynamicSettings ofBroker = broker.Dynamic;
            RecordSettings? known = Volatile.Read(ref _records);
            if (known?.OfBroker != ofBroker)
            {
                known = RecordSettings.Of(this, ofBroker);
                Volatile.Write(ref _records, known);
            }
            return known;
        }
    }

    /// <summary>What storage needs to know.</summary>
    public PartitionLogOptions LogOptions() => new()
    {
        SegmentBytes = Number("segment.bytes"),
        SegmentTime = TimeSpan.FromMilliseconds(Math.Min(Number("segment.ms"), CenturyMs)),
        IndexIntervalBytes = (int)Number("index.interval.bytes"),
        IndexBytesMax = (int)Number("segment.index.bytes"),
        BatchBytesMax = (int)Number("max.message.bytes"),
        LogAppendTime = Value(TopicSettingTable.Find("message.timestamp.type")!) == "LogAppendTime",
        KeysRequired = HasPolicy("compact"),
        TimestampBeforeMaxMs = Number("message.timestamp.before.max.ms"),
        TimestampAfterMaxMs = Number("message.timestamp.after.max.ms"),
        Retention = Limit("retention.ms") is { } time ? TimeSpan.FromMilliseconds(Math.Min(time, CenturyMs)) : null,
        RetentionClock = Value(TopicSettingTable.Find("retention.clock")!) == "arrival" ? RetentionClock.Arrival : RetentionClock.Record,
        RetentionBytes = Limit("retention.bytes"),
        ProducerIdExpiration = broker.ProducerIdExpiration,
        Flush = broker.Flush switch
        {
            "interval" => FlushPolicy.Interval,
            "os" => FlushPolicy.Os,
            _ => FlushPolicy.Group,
        },
        FlushInterval = broker.FlushInterval,
    };

    private bool HasPolicy(string policy) =>
        Value(TopicSettingTable.Find("cleanup.policy")!)!.Split(',', StringSplitOptions.TrimEntries).Contains(policy, StringComparer.Ordinal);

    /// <summary>A limit, or null where Kafka says "none" by -1.</summary>
    private long? Limit(string name) => Number(name) is >= 0 and var limit ? limit : null;

    private long Number(string name) => long.Parse(Value(TopicSettingTable.Find(name)!)!, CultureInfo.InvariantCulture);
}
