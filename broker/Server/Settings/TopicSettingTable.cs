using static LogPipeline.Broker.Settings.SettingType;

namespace LogPipeline.Broker.Settings;

/// <summary>The topic settings, with Kafka's names and defaults.</summary>
internal static class TopicSettingTable
{
    private const string Forever = "9223372036854775807";

    /// <summary>There is no compaction yet: a topic that asks for it alone keeps all records.</summary>
    public static string? CompactsNothing(string policy) =>
        policy.Split(',', StringSplitOptions.TrimEntries).Contains("compact", StringComparer.Ordinal) ? "Nothing is compacted yet: records must have keys, and without delete all are kept." : null;

    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        new("cleanup.policy", List, "delete", "What becomes of old segments.") { Allowed = ["compact", "delete"], BrokerName = "log.cleanup.policy", WithoutEffect = CompactsNothing },
        new("compression.gzip.level", Int, "-1", "How hard gzip compresses where compression.type asks for it; -1 is 6.") { Min = 1, Max = 9, Besides = -1, BrokerName = "compression.gzip.level" },
        new("compression.lz4.level", Int, "9", "How hard lz4 compresses where compression.type asks for it.") { Min = 1, Max = 17, BrokerName = "compression.lz4.level" },
        new("compression.type", SettingType.String, "producer", "How batches are compressed in the log: producer keeps what was sent, for anything else a batch that comes otherwise is compressed anew.") { Allowed = ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"], BrokerName = "compression.type" },
        new("compression.zstd.level", Int, "3", "How hard zstd compresses where compression.type asks for it.") { Min = -131072, Max = 22, BrokerName = "compression.zstd.level" },
        new("delete.retention.ms", Long, "86400000", "How long tombstones stay.") { Min = 0, BrokerName = "log.cleaner.delete.retention.ms", HasEffect = false },
        new("file.delete.delay.ms", Long, "60000", "Delay before a file is deleted.") { Min = 0, BrokerName = "log.segment.delete.delay.ms", HasEffect = false },
        new("flush.messages", Long, Forever, "See log.flush of the broker.") { Min = 1, BrokerName = "log.flush.interval.messages", HasEffect = false },
        new("flush.ms", Long, Forever, "See log.flush of the broker.") { Min = 0, HasEffect = false },
        new("follower.replication.throttled.replicas", List, "", "No replication here.") { HasEffect = false },
        new("index.interval.bytes", Int, "4096", "Bytes of batches between two index entries.") { Min = 0, BrokerName = "log.index.interval.bytes" },
        new("leader.replication.throttled.replicas", List, "", "No replication here.") { HasEffect = false },
        new("local.retention.bytes", Long, "-2", "No tiered storage here.") { Min = -2, BrokerName = "log.local.retention.bytes", HasEffect = false },
        new("local.retention.ms", Long, "-2", "No tiered storage here.") { Min = -2, BrokerName = "log.local.retention.ms", HasEffect = false },
        new("max.compaction.lag.ms", Long, Forever, "Longest time before a record may be compacted.") { Min = 1, BrokerName = "log.cleaner.max.compaction.lag.ms", HasEffect = false },
        new("max.message.bytes", Int, "1048588", "Largest record batch.") { Min = 0, BrokerName = "message.max.bytes" },
        new("message.downconversion.enable", SettingType.Boolean, "true", "Whether clients that know only formats 0 and 1 may read (Kafka 3.9 and before).") { BrokerName = "log.message.downconversion.enable" },
        new("message.timestamp.after.max.ms", Long, Forever, "How far ahead of the broker's clock a record's timestamp may be (Kafka: 3600000); without a bound a host whose clock is ahead can still log.") { Min = 0, BrokerName = "log.message.timestamp.after.max.ms" },
        new("message.timestamp.before.max.ms", Long, Forever, "How far before the broker's clock a record's timestamp may be.") { Min = 0, BrokerName = "log.message.timestamp.before.max.ms" },
        new("message.timestamp.type", SettingType.String, "CreateTime", "Whether records keep the producer's timestamps (CreateTime) or get the broker's (LogAppendTime).") { Allowed = ["CreateTime", "LogAppendTime"], BrokerName = "log.message.timestamp.type" },
        new("min.cleanable.dirty.ratio", SettingType.Double, "0.5", "When compaction begins.") { Min = 0, Max = 1, BrokerName = "log.cleaner.min.cleanable.ratio", HasEffect = false },
        new("min.compaction.lag.ms", Long, "0", "Shortest time before a record may be compacted.") { Min = 0, BrokerName = "log.cleaner.min.compaction.lag.ms", HasEffect = false },
        new("min.insync.replicas", Int, "1", "Replicas that must have a record before it is acknowledged.") { Min = 1, BrokerName = "min.insync.replicas", HasEffect = false },
        new("preallocate", SettingType.Boolean, "false", "Segments are always preallocated.") { BrokerName = "log.preallocate", HasEffect = false },
        new("remote.log.copy.disable", SettingType.Boolean, "false", "No tiered storage here.") { HasEffect = false },
        new("remote.log.delete.on.disable", SettingType.Boolean, "false", "No tiered storage here.") { HasEffect = false },
        new("remote.storage.enable", SettingType.Boolean, "false", "No tiered storage here.") { Allowed = ["false"], HasEffect = false },
        new("retention.bytes", Long, "-1", "Bytes of a partition to keep; -1 keeps all.") { BrokerName = "log.retention.bytes" },
        new("retention.clock", SettingType.String, "record", "What retention.ms counts from: record, a segment's largest timestamp; arrival, when its last record came in.") { Allowed = ["record", "arrival"], BrokerName = "log.retention.clock" },
        new("retention.ms", Long, "604800000", "Milliseconds to keep records; -1 keeps all.") { Min = -1, BrokerName = "log.retention.ms" },
        new("segment.bytes", Int, "1073741824", "Largest segment file.") { Min = 1048576, BrokerName = "log.segment.bytes" },
        new("segment.index.bytes", Int, "10485760", "Largest index file.") { Min = 4, BrokerName = "log.index.size.max.bytes" },
        new("segment.jitter.ms", Long, "0", "Spread of segment rolls.") { Min = 0, HasEffect = false },
        new("segment.ms", Long, "604800000", "Age at which a segment is closed.") { Min = 1, BrokerName = "log.roll.ms" },
        new("unclean.leader.election.enable", SettingType.Boolean, "false", "No replication here.") { BrokerName = "unclean.leader.election.enable", HasEffect = false },
    ];

    private static readonly Dictionary<string, SettingDefinition> ByName = All.ToDictionary(s => s.Name, StringComparer.Ordinal);

    public static SettingDefinition? Find(string name) => ByName.GetValueOrDefault(name);
}
