using LogPipeline.Protocol.Messages;

namespace LogPipeline.Compare.Questions;

/// <summary>About settings of topics and brokers.</summary>
internal static class ConfigQuestions
{
    private const sbyte Topics = 2;
    private const sbyte Brokers = 4;
    private const sbyte Set = 0;
    private const sbyte Remove = 1;
    private const sbyte Append = 2;
    private const sbyte Subtract = 3;

    public static IReadOnlyList<Question> List { get; } =
    [
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("a topic", static (_, _) => Describe(Topics, "t")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("some keys", static (_, _) => Describe(Topics, "t", "retention.ms", "segment.bytes", "no.such.key")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("an unknown topic", static (_, _) => Describe(Topics, "nowhere")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("a wrong name", static (_, _) => Describe(Topics, "no/slash")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("an empty name", static (_, _) => Describe(Topics, "")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("a broker's keys", static (_, _) => Describe(Brokers, "1", "log.retention.ms", "num.partitions", "log.segment.bytes", "message.max.bytes")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("all brokers", static (_, _) => Describe(Brokers, "")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("another broker", static (_, _) => Describe(Brokers, "7")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("no number of a broker", static (_, _) => Describe(Brokers, "one")),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("an unknown kind", static (_, _) => Describe(99, "t")),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("set", static (_, _) => Change(Topics, "t", (Set, "retention.bytes", "1000000"))),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("what was set", static (_, _) => Describe(Topics, "t", "retention.bytes"), from: 1),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("remove", static (_, _) => Change(Topics, "t", (Remove, "retention.bytes", null))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a bad value", static (_, _) => Change(Topics, "t", (Set, "retention.ms", "soon"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a value out of range", static (_, _) => Change(Topics, "t", (Set, "segment.bytes", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("an unknown key", static (_, _) => Change(Topics, "t", (Set, "no.such.key", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("remove an unknown key", static (_, _) => Change(Topics, "t", (Remove, "no.such.key", null))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a null value", static (_, _) => Change(Topics, "t", (Set, "retention.ms", null))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("append to a list", static (_, _) => Change(Topics, "empty", (Append, "cleanup.policy", "compact"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("subtract from a list", static (_, _) => Change(Topics, "empty", (Subtract, "cleanup.policy", "compact"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("append to a number", static (_, _) => Change(Topics, "t", (Append, "retention.ms", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("an unknown operation", static (_, _) => Change(Topics, "t", (9, "retention.ms", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a key twice", static (_, _) => Change(Topics, "t", (Set, "retention.ms", "1"), (Set, "retention.ms", "2"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("an unknown topic", static (_, _) => Change(Topics, "nowhere", (Set, "retention.ms", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("an empty name", static (_, _) => Change(Topics, "", (Set, "retention.ms", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("an unknown kind", static (_, _) => Change(99, "t", (Set, "retention.ms", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a broker", static (_, _) => Change(Brokers, "1", (Set, "log.retention.ms", "3600000"))),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("what was set of a broker", static (_, _) => Describe(Brokers, "1", "log.retention.ms"), from: 1),
        new Question<DescribeConfigsRequest, DescribeConfigsResponse>("what a topic inherits", static (_, _) => Describe(Topics, "a.b", "retention.ms"), from: 1),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("remove a broker's", static (_, _) => Change(Brokers, "1", (Remove, "log.retention.ms", null))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("all brokers", static (_, _) => Change(Brokers, "", (Set, "message.max.bytes", "2000000"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("remove all brokers'", static (_, _) => Change(Brokers, "", (Remove, "message.max.bytes", null))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a broker, read only", static (_, _) => Change(Brokers, "1", (Set, "num.partitions", "3"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a broker, a bad value", static (_, _) => Change(Brokers, "1", (Set, "log.retention.ms", "soon"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("a broker, an unknown key", static (_, _) => Change(Brokers, "1", (Set, "no.such.key", "1"))),
        new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>("another broker", static (_, _) => Change(Brokers, "7", (Set, "log.retention.ms", "1"))),
        .. new[] { ("background.threads", "10"), ("log.cleaner.threads", "1"), ("num.recovery.threads.per.data.dir", "2"), ("num.replica.fetchers", "1"), ("max.connections.per.ip", "100"),
                ("log.cleaner.backoff.ms", "15000"), ("log.message.timestamp.before.max.ms", "9223372036854775807"), ("max.connection.creation.rate", "100"), ("log.message.timestamp.type", "CreateTime") }
            .Select(static one => new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>($"a broker's {one.Item1}", (_, _) => Change(Brokers, "1", (Set, one.Item1, one.Item2)))),
        .. new[] { "leader.replication.throttled.rate", "follower.replication.throttled.rate", "replica.alter.log.dirs.io.max.bytes.per.second" }
            .Select(static key => new Question<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>($"remove a broker's {key}", (_, _) => Change(Brokers, "1", (Remove, key, null)))),
        new Question<AlterConfigsRequest, AlterConfigsResponse>("replace", static (_, _) => new()
        {
            Resources = [new() { ResourceType = Topics, ResourceName = "a.b", Configs = [new() { Name = "retention.ms", Value = "3600000" }] }],
        }),
        new Question<AlterConfigsRequest, AlterConfigsResponse>("replace, a bad value", static (_, _) => new()
        {
            Resources = [new() { ResourceType = Topics, ResourceName = "t", Configs = [new() { Name = "retention.ms", Value = "soon" }] }],
        }),
        new Question<AlterConfigsRequest, AlterConfigsResponse>("a topic twice", static (_, _) => new()
        {
            Resources = [new() { ResourceType = Topics, ResourceName = "t" }, new() { ResourceType = Topics, ResourceName = "t" }],
        }),
    ];

    private static DescribeConfigsRequest Describe(sbyte type, string name, params string[] keys) => new()
    {
        IncludeSynonyms = true,
        Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = keys.Length == 0 ? null : [.. keys] }],
    };

    private static IncrementalAlterConfigsRequest Change(sbyte type, string name, params (sbyte Operation, string Key, string? Value)[] changes) => new()
    {
        Resources = [new()
        {
            ResourceType = type,
            ResourceName = name,
            Configs = [.. changes.Select(static change => new IncrementalAlterConfigsRequest.Resource.Config { Name = change.Key, ConfigOperation = change.Operation, Value = change.Value })],
        }],
    };
}
