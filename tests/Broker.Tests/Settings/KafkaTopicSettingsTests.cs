using LogPipeline.Broker.Settings;

namespace LogPipeline.Broker.Tests.Settings;

/// <summary>The topic settings beside those that Apache Kafka 4.2 defines (LogConfig): name, type, default; - is nothing.</summary>
public sealed class KafkaTopicSettingsTests
{
    private const string Kafka = """
        cleanup.policy LIST delete
        compression.gzip.level INT -1
        compression.lz4.level INT 9
        compression.type STRING producer
        compression.zstd.level INT 3
        delete.retention.ms LONG 86400000
        file.delete.delay.ms LONG 60000
        flush.messages LONG 9223372036854775807
        flush.ms LONG 9223372036854775807
        follower.replication.throttled.replicas LIST -
        index.interval.bytes INT 4096
        leader.replication.throttled.replicas LIST -
        local.retention.bytes LONG -2
        local.retention.ms LONG -2
        max.compaction.lag.ms LONG 9223372036854775807
        max.message.bytes INT 1048588
        message.timestamp.after.max.ms LONG 3600000
        message.timestamp.before.max.ms LONG 9223372036854775807
        message.timestamp.type STRING CreateTime
        min.cleanable.dirty.ratio DOUBLE 0.5
        min.compaction.lag.ms LONG 0
        min.insync.replicas INT 1
        preallocate BOOLEAN false
        remote.log.copy.disable BOOLEAN false
        remote.log.delete.on.disable BOOLEAN false
        remote.storage.enable BOOLEAN false
        retention.bytes LONG -1
        retention.ms LONG 604800000
        segment.bytes INT 1073741824
        segment.index.bytes INT 10485760
        segment.jitter.ms LONG 0
        segment.ms LONG 604800000
        unclean.leader.election.enable BOOLEAN false
        """;

    /// <summary>Kafka refuses timestamps an hour ahead; logs are taken as they come.</summary>
    private const string OwnDefault = "message.timestamp.after.max.ms";

    /// <summary>Kafka has none of the one name, and gave the other up with version 4.</summary>
    private static readonly string[] NotThere = ["retention.clock", "message.downconversion.enable"];

    [Fact]
    public void Every_topic_setting_of_Kafka_is_known_with_its_type_and_default()
    {
        string[] kafka = [.. Kafka.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(row => !row.StartsWith(OwnDefault, StringComparison.Ordinal))];
        Assert.Equal(kafka, TopicSettingTable.All.Where(setting => setting.Name != OwnDefault && !NotThere.Contains(setting.Name)).Select(Row));
        Assert.Equal(SettingType.Long, TopicSettingTable.Find(OwnDefault)!.Type);
    }

    private static string Row(SettingDefinition setting) =>
        $"{setting.Name} {setting.Type.ToString().ToUpperInvariant()} {(string.IsNullOrEmpty(setting.Default) ? "-" : setting.Default)}";

    [Theory]
    [InlineData("min.cleanable.dirty.ratio", "7.0", "Invalid value 7.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1")]
    [InlineData("min.cleanable.dirty.ratio", "0.7", null)]
    [InlineData("compression.lz4.level", "99", "Invalid value 99 for configuration compression.lz4.level: Value must be no more than 17")]
    [InlineData("cleanup.policy", "burn", "Invalid value burn for configuration cleanup.policy: String must be one of: compact, delete")]
    [InlineData("segment.bytes", "99999999999", "Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT")]
    public void Values_are_checked_in_Kafkas_words(string name, string value, string? problem) =>
        Assert.Equal(problem, TopicSettingTable.Find(name)!.Problem(value));
}
