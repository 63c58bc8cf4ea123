using LogPipeline.Client.Consuming;
using Apply = System.Func<LogPipeline.Client.Consuming.ConsumerOptions, string, string, LogPipeline.Client.Consuming.ConsumerOptions>;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>Kafka's names of consumer settings, as far as our consumer has what they mean.</summary>
internal static class ConsumerProperties
{
    private const string AutoCommit = "enable.auto.commit";

    private static readonly TimeSpan AutoCommitInterval = TimeSpan.FromSeconds(5);

    private static readonly Dictionary<string, Apply> Known = new(StringComparer.Ordinal)
    {
        ["group.id"] = static (options, _, value) => options with { Group = value },
        ["group.instance.id"] = static (options, _, value) => options with { InstanceId = value },
        ["auto.offset.reset"] = static (options, name, value) => options with { OffsetReset = Reset(name, value) },
        ["auto.commit.interval.ms"] = static (options, name, value) => options with { AutoCommitInterval = PropertyValue.Milliseconds(name, value) },
        ["session.timeout.ms"] = static (options, name, value) => options with { SessionTimeout = PropertyValue.Milliseconds(name, value) },
        ["heartbeat.interval.ms"] = static (options, name, value) => options with { HeartbeatInterval = PropertyValue.Milliseconds(name, value) },
        ["max.poll.interval.ms"] = static (options, name, value) => options with { PollIntervalMax = PropertyValue.Milliseconds(name, value) },
        ["fetch.min.bytes"] = static (options, name, value) => options with { FetchBytesMin = PropertyValue.Int(name, value) },
        ["fetch.max.wait.ms"] = static (options, name, value) => options with { FetchWaitMax = PropertyValue.Milliseconds(name, value) },
        ["fetch.max.bytes"] = static (options, name, value) => options with { FetchBytesMax = PropertyValue.Int(name, value) },
        ["max.partition.fetch.bytes"] = static (options, name, value) => options with { PartitionBytesMax = PropertyValue.Int(name, value) },
        ["check.crcs"] = static (options, name, value) => options with { CheckCrc = PropertyValue.Flag(name, value) },
        ["isolation.level"] = static (options, name, value) => options with { ReadCommitted = IsReadCommitted(name, value) },
    };

    /// <summary>The names that <see cref="Options"/> reads.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. Known.Keys, AutoCommit];

    /// <exception cref="KafkaToolException">A value cannot be.</exception>
    public static ConsumerOptions Options(IReadOnlyDictionary<string, string> properties)
    {
        var options = new ConsumerOptions { AutoCommitInterval = AutoCommitInterval };
        foreach ((string name, string value) in properties)
        {
            options = Known.TryGetValue(name, out Apply? apply) ? apply(options, name, value) : options;
        }
        bool commits = options.Group is not null && PropertyValue.Flag(AutoCommit, properties.GetValueOrDefault(AutoCommit, "true"));
        return commits ? options : options with { AutoCommitInterval = null };
    }

    private static OffsetReset Reset(string name, string value) => value switch
    {
        "earliest" => OffsetReset.Earliest,
        "latest" => OffsetReset.Latest,
        "none" => OffsetReset.None,
        _ => throw PropertyValue.Wrong(name, value),
    };

    private static bool IsReadCommitted(string name, string value) => value switch
    {
        "read_committed" => true,
        "read_uncommitted" => false,
        _ => throw PropertyValue.Wrong(name, value),
    };
}
