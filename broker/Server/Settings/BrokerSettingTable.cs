using static LogPipeline.Broker.Settings.SettingType;

namespace LogPipeline.Broker.Settings;

/// <summary>The broker settings, with Kafka's names; defaults are Kafka's but for those that say otherwise.</summary>
internal static class BrokerSettingTable
{
    /// <summary>Most partitions that one request may create, as on Apache Kafka.</summary>
    public const int PartitionsMax = 10_000;

    private const string Forever = "9223372036854775807";

    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        new("advertised.listeners", SettingType.String, null, "Address told to the clients of each listener; without it the one they came in on."),
        new("auto.create.topics.enable", SettingType.Boolean, "true", "Whether Metadata creates topics that are not there."),
        new("background.threads", Int, "10", "The runtime decides.") { Min = 1, HasEffect = false },
        new("compression.gzip.level", Int, "-1", "Default of the topics' compression.gzip.level.") { Min = 1, Max = 9, Besides = -1 },
        new("compression.lz4.level", Int, "9", "Default of the topics' compression.lz4.level.") { Min = 1, Max = 17 },
        new("compression.type", SettingType.String, "producer", "Default of the topics' compression.type.") { Allowed = ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"] },
        new("compression.zstd.level", Int, "3", "Default of the topics' compression.zstd.level.") { Min = -131072, Max = 22 },
        new("connections.max.idle.ms", Long, "600000", "A connection without a request for so long is closed.") { Min = 1000 },
        new("controller.listener.names", SettingType.String, null, "Listeners of a quorum of controllers; there is none, so they are not served."),
        new("default.replication.factor", Int, "1", "One node keeps one copy.") { Min = 1, Max = 1, HasEffect = false },
        new("delete.topic.enable", SettingType.Boolean, "true", "Whether topics may be deleted."),
        new("fetch.max.bytes", Int, "57671680", "Largest fetch answer, but for a single larger batch.") { Min = 1024 },
        new("follower.replication.throttled.rate", Long, "9223372036854775807", "No replication here.") { Min = 0, HasEffect = false },
        new("group.initial.rebalance.delay.ms", Int, "100", "How long the first members of a group wait for more (Kafka: 3000).") { Min = 0 },
        new("group.max.session.timeout.ms", Int, "1800000", "Longest session timeout of a member.") { Min = 1 },
        new("group.max.size", Int, "2147483647", "Most members of a group.") { Min = 1 },
        new("group.min.session.timeout.ms", Int, "6000", "Shortest session timeout of a member.") { Min = 1 },
        new("inter.broker.listener.name", SettingType.String, null, "One of listeners; one node has nobody to reach on it.") { HasEffect = false },
        new("leader.replication.throttled.rate", Long, "9223372036854775807", "No replication here.") { Min = 0, HasEffect = false },
        new("listener.security.protocol.map", SettingType.String, null, "Protocol of each listener, NAME:PROTOCOL; PLAINTEXT alone is there yet."),
        new("listeners", SettingType.String, null, "Addresses to serve on, NAME://host:port or host:port."),
        new("log.cleaner.backoff.ms", Long, "15000", "Nothing is compacted yet.") { Min = 0, HasEffect = false },
        new("log.cleaner.dedupe.buffer.size", Long, "134217728", "Nothing is compacted yet.") { HasEffect = false },
        new("log.cleaner.delete.retention.ms", Long, "86400000", "Default of delete.retention.ms.") { HasEffect = false },
        new("log.cleaner.enable", SettingType.Boolean, "true", "Compaction.") { HasEffect = false },
        new("log.cleaner.io.buffer.load.factor", SettingType.Double, "0.9", "Nothing is compacted yet.") { HasEffect = false },
        new("log.cleaner.io.buffer.size", Int, "524288", "Nothing is compacted yet.") { Min = 0, HasEffect = false },
        new("log.cleaner.io.max.bytes.per.second", SettingType.Double, "1.7976931348623157E308", "Nothing is compacted yet.") { HasEffect = false },
        new("log.cleaner.max.compaction.lag.ms", Long, Forever, "Default of max.compaction.lag.ms.") { Min = 1, HasEffect = false },
        new("log.cleaner.min.cleanable.ratio", SettingType.Double, "0.5", "Default of min.cleanable.dirty.ratio.") { Min = 0, Max = 1, HasEffect = false },
        new("log.cleaner.min.compaction.lag.ms", Long, "0", "Default of min.compaction.lag.ms.") { Min = 0, HasEffect = false },
        new("log.cleaner.threads", Int, "1", "Nothing is compacted yet.") { Min = 0, HasEffect = false },
        new("log.cleanup.policy", List, "delete", "Default of cleanup.policy.") { Allowed = ["compact", "delete"], WithoutEffect = TopicSettingTable.CompactsNothing },
        new("log.dir", SettingType.String, "/tmp/kafka-logs", "The data directory is given at start.") { HasEffect = false },
        new("log.dirs", SettingType.String, null, "The data directory is given at start.") { HasEffect = false },
        new("log.flush", SettingType.String, "group", "group: an acknowledged record is on disk, one fsync for all that waits; interval: fsync every log.flush.interval.ms; os: never.") { Allowed = ["group", "interval", "os"] },
        new("log.flush.interval.messages", Long, Forever, "See log.flush.") { Min = 1, HasEffect = false },
        new("log.flush.interval.ms", Long, "1000", "Time between two fsyncs with log.flush=interval.") { Min = 1 },
        new("log.index.interval.bytes", Int, "4096", "Default of index.interval.bytes.") { Min = 0 },
        new("log.index.size.max.bytes", Int, "10485760", "Default of segment.index.bytes.") { Min = 4 },
        new("log.journal.batch.max.bytes", Int, "65536", "Largest batch that goes through the commit journal; larger ones are synced in their segment.") { Min = 0 },
        new("log.journal.bytes", Long, "134217728", "Disk space for the commit journal, which makes small batches of all partitions durable by one fsync.") { Min = 32768 },
        new("log.local.retention.bytes", Long, "-2", "No tiered storage here.") { Min = -2, HasEffect = false },
        new("log.local.retention.ms", Long, "-2", "No tiered storage here.") { Min = -2, HasEffect = false },
        new("log.message.downconversion.enable", SettingType.Boolean, "true", "Default of message.downconversion.enable."),
        new("log.message.timestamp.after.max.ms", Long, Forever, "Default of message.timestamp.after.max.ms (Kafka: 3600000).") { Min = 0 },
        new("log.message.timestamp.before.max.ms", Long, Forever, "Default of message.timestamp.before.max.ms.") { Min = 0 },
        new("log.message.timestamp.type", SettingType.String, "CreateTime", "Default of message.timestamp.type.") { Allowed = ["CreateTime", "LogAppendTime"] },
        new("log.preallocate", SettingType.Boolean, "false", "Segments are always preallocated.") { HasEffect = false },
        new("log.reserved.bytes", Long, "4194304", "Bytes of the disk that producers leave free for commits, checkpoints and a start.") { Min = 0 },
        new("log.retention.bytes", Long, "-1", "Default of retention.bytes.") { Min = -1 },
        new("log.retention.check.interval.ms", Long, "300000", "Time between two rounds of retention.") { Min = 1, Max = 86400000 },
        new("log.retention.clock", SettingType.String, "record", "Default of retention.clock.") { Allowed = ["record", "arrival"] },
        new("log.retention.hours", Int, "168", "Default of retention.ms, in hours; log.retention.minutes and .ms go before it.") { Min = -1 },
        new("log.retention.minutes", Int, null, "Default of retention.ms, in minutes.") { Min = -1 },
        new("log.retention.ms", Long, null, "Default of retention.ms.") { Min = -1 },
        new("log.retention.total.bytes", Long, "-1", "Bytes that all partitions together may have; beyond it the oldest segments of any topic go. -1: no limit.") { Min = -1 },
        new("log.roll.hours", Int, "168", "Default of segment.ms, in hours; log.roll.ms goes before it.") { Min = 1 },
        new("log.roll.ms", Long, null, "Default of segment.ms.") { Min = 1 },
        new("log.scrub.bytes.per.second", Long, "2097152", "How fast segments are read again to find damaged batches, which are then not served; 0: not at all.") { Min = 0 },
        new("log.segment.bytes", Int, "1073741824", "Default of segment.bytes.") { Min = 1048576 },
        new("log.segment.delete.delay.ms", Long, "60000", "Default of file.delete.delay.ms.") { HasEffect = false },
        new("max.connection.creation.rate", Int, "2147483647", "Connections are accepted as fast as they come.") { Min = 0, HasEffect = false },
        new("max.connections", Int, "2147483647", "Connections beyond it are closed at once.") { Min = 0 },
        new("max.connections.per.ip", Int, "2147483647", "max.connections counts all addresses together.") { Min = 0, HasEffect = false },
        new("max.connections.per.ip.overrides", SettingType.String, "", "max.connections counts all addresses together.") { HasEffect = false },
        new("max.incremental.fetch.session.cache.slots", Int, "1000", "Most fetch sessions kept.") { Min = 0 },
        new("message.max.bytes", Int, "1048588", "Default of max.message.bytes.") { Min = 0 },
        new("min.insync.replicas", Int, "1", "One node keeps one copy.") { Min = 1, HasEffect = false },
        new("node.id", Int, "1", "This broker's number.") { Min = 0 },
        new("num.io.threads", Int, "8", "The runtime decides.") { HasEffect = false },
        new("num.network.threads", Int, "3", "The runtime decides.") { HasEffect = false },
        new("num.partitions", Int, "1", "Partitions of a topic created without a number.") { Min = 1, Max = PartitionsMax },
        new("num.recovery.threads.per.data.dir", Int, "2", "The runtime decides.") { Min = 1, HasEffect = false },
        new("num.replica.fetchers", Int, "1", "No replication here.") { HasEffect = false },
        new("offset.metadata.max.bytes", Int, "4096", "Longest metadata of a committed offset, in characters.") { Min = 0 },
        new("offsets.retention.check.interval.ms", Long, "600000", "Time between two looks for offsets that have expired.") { Min = 1, Max = 86400000 },
        new("offsets.retention.minutes", Int, "10080", "How long offsets stay once their group has no members, or nobody subscribes to their topic.") { Min = 1 },
        new("offsets.topic.num.partitions", Int, "50", "Partitions of __consumer_offsets.") { Min = 1, Max = PartitionsMax },
        new("offsets.topic.replication.factor", Short, "1", "One node keeps one copy.") { HasEffect = false },
        new("offsets.topic.segment.bytes", Int, "104857600", "Largest segment file of __consumer_offsets.") { Min = 1048576 },
        new("process.roles", List, "broker,controller", "One node is both.") { HasEffect = false },
        new("producer.id.expiration.ms", Int, "604800000", "How long a silent producer is remembered (Kafka: 86400000).") { Min = 1 },
        new("queued.max.requests", Int, "500", "Each connection has a bound of its own.") { HasEffect = false },
        new("replica.alter.log.dirs.io.max.bytes.per.second", Long, "9223372036854775807", "There is one data directory.") { Min = 0, HasEffect = false },
        new("socket.receive.buffer.bytes", Int, "102400", "The system decides.") { HasEffect = false },
        new("socket.request.max.bytes", Int, "104857600", "Largest request.") { Min = 1024 },
        new("socket.send.buffer.bytes", Int, "102400", "The system decides.") { HasEffect = false },
        new("transaction.state.log.min.isr", Int, "1", "One node keeps one copy.") { HasEffect = false },
        new("transaction.state.log.replication.factor", Short, "1", "One node keeps one copy.") { HasEffect = false },
        new("unclean.leader.election.enable", SettingType.Boolean, "false", "No replication here.") { HasEffect = false },
    ];

    // Kafka's choice, but for those that need a restart here: the addresses and log.flush.
    private static readonly HashSet<string> Dynamic = new(StringComparer.Ordinal)
    {
        "background.threads", "compression.gzip.level", "compression.lz4.level", "compression.type", "compression.zstd.level",
        "follower.replication.throttled.rate", "leader.replication.throttled.rate", "log.cleaner.backoff.ms",
        "log.cleaner.dedupe.buffer.size", "log.cleaner.delete.retention.ms", "log.cleaner.io.buffer.load.factor",
        "log.cleaner.io.buffer.size", "log.cleaner.io.max.bytes.per.second", "log.cleaner.max.compaction.lag.ms",
        "log.cleaner.min.cleanable.ratio", "log.cleaner.min.compaction.lag.ms", "log.cleaner.threads", "log.cleanup.policy",
        "log.flush.interval.messages", "log.flush.interval.ms", "log.index.interval.bytes", "log.index.size.max.bytes",
        "log.local.retention.bytes", "log.local.retention.ms", "log.message.downconversion.enable",
        "log.message.timestamp.after.max.ms", "log.message.timestamp.before.max.ms", "log.message.timestamp.type",
        "log.preallocate", "log.retention.bytes", "log.retention.clock", "log.retention.ms", "log.retention.total.bytes",
        "log.roll.ms", "log.scrub.bytes.per.second", "log.segment.bytes", "log.segment.delete.delay.ms",
        "max.connection.creation.rate", "max.connections",
        "max.connections.per.ip", "max.connections.per.ip.overrides", "message.max.bytes", "min.insync.replicas",
        "num.io.threads", "num.network.threads", "num.recovery.threads.per.data.dir", "num.replica.fetchers",
        "producer.id.expiration.ms", "replica.alter.log.dirs.io.max.bytes.per.second", "unclean.leader.election.enable",
    };

    private static readonly Dictionary<string, SettingDefinition> ByName = All.ToDictionary(s => s.Name, StringComparer.Ordinal);

    public static SettingDefinition? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Whether a setting can be changed while the broker runs.</summary>
    public static bool IsDynamic(string name) => Dynamic.Contains(name);
}
