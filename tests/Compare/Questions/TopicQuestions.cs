using LogPipeline.Protocol.Messages;

namespace LogPipeline.Compare.Questions;

/// <summary>About topics: what there is, making and removing them.</summary>
internal static class TopicQuestions
{
    private static readonly Guid Nobody = new("00000000-0000-0007-0000-000000000009");

    public static IReadOnlyList<Question> List { get; } =
    [
        new Question<MetadataRequest, MetadataResponse>("a topic", static (_, _) => Named("t")),
        new Question<MetadataRequest, MetadataResponse>("a topic twice", static (_, _) => Named("t", "t")),
        new Question<MetadataRequest, MetadataResponse>("no topics", static (_, _) => Named(), from: 1),
        new Question<MetadataRequest, MetadataResponse>("an unknown topic", static (_, _) => Named("nowhere"), from: 4),
        new Question<MetadataRequest, MetadataResponse>("a wrong name", static (_, _) => Named("no/slash", ".", new string('x', 250))),
        new Question<MetadataRequest, MetadataResponse>("an empty name", static (_, _) => Named("")),
        new Question<MetadataRequest, MetadataResponse>("authorised operations", static (_, version) =>
            new() { Topics = [new() { Name = "t" }, new() { Name = "nowhere" }], AllowAutoTopicCreation = false, IncludeTopicAuthorizedOperations = true, IncludeClusterAuthorizedOperations = true }, from: 8),
        new Question<MetadataRequest, MetadataResponse>("by id", static (scene, _) => new() { Topics = [new() { TopicId = scene.Ids["t"] }] }, from: 12),
        new Question<MetadataRequest, MetadataResponse>("by an unknown id", static (_, _) => new() { Topics = [new() { TopicId = Nobody }] }, from: 12),
        new Question<MetadataRequest, MetadataResponse>("a name and a wrong id", static (_, _) => new() { Topics = [new() { Name = "t", TopicId = Nobody }] }, from: 12),
        new Question<MetadataRequest, MetadataResponse>("a name beside an id", static (scene, _) => new() { Topics = [new() { Name = "empty" }, new() { TopicId = scene.Ids["t"] }] }, from: 12),
        new Question<MetadataRequest, MetadataResponse>("an id too early", static (scene, _) => new() { Topics = [new() { Name = "t", TopicId = scene.Ids["t"] }] }, from: 10, to: 11),
        new Question<MetadataRequest, MetadataResponse>("no name too early", static (_, _) => new() { Topics = [new()] }, from: 10, to: 11),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a topic, an unknown and a wrong one", static (_, _) => new() { Topics = [new() { Name = "t" }, new() { Name = "nowhere" }, new() { Name = "no/slash" }] }),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a page of one", static (_, _) => new() { Topics = [new() { Name = "t" }, new() { Name = "empty" }], ResponsePartitionLimit = 1 }),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a page of two", static (_, _) => new() { Topics = [new() { Name = "t" }, new() { Name = "empty" }], ResponsePartitionLimit = 2 }),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a page of none", static (_, _) => new() { Topics = [new() { Name = "t" }, new() { Name = "empty" }], ResponsePartitionLimit = 0 }),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("the next page", static (_, _) => new() { Topics = [new() { Name = "t" }, new() { Name = "u" }], Cursor = new() { TopicName = "t", PartitionIndex = 1 } }),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a page beyond the end", static (_, _) => new() { Topics = [new() { Name = "t" }], Cursor = new() { TopicName = "t", PartitionIndex = 7 } }),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a page at a topic not asked for", static (_, _) => new() { Topics = [new() { Name = "t" }], Cursor = new() { TopicName = "empty" } }),
        new Question<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>("a page below zero", static (_, _) => new() { Topics = [new() { Name = "t" }], Cursor = new() { TopicName = "t", PartitionIndex = -1 } }),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("a new one", static (_, version) => Create($"new-{version}")),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("validate only", static (_, version) => Create("imagined", validateOnly: true), from: 1),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("one that is there", static (_, _) => Create("t")),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("one that collides", static (_, _) => Create("a_b")),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("a wrong name", static (_, _) => Create("no/slash")),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("an empty name", static (_, _) => Create("")),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("twice", static (_, _) => new() { Topics = [Topic("twice"), Topic("twice")] }),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("no partitions", static (_, _) => Create("none", partitions: 0)),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("-2 partitions", static (_, _) => Create("minus", partitions: -2)),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("no copies", static (_, _) => Create("none", replicas: 0)),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("too many copies", static (_, _) => Create("many", replicas: 3)),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("defaults", static (_, version) => Create($"defaults-{version}", -1, -1), from: 4),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("an unknown setting", static (_, _) => Create("odd", config: ("no.such.key", "1"))),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("a bad value", static (_, _) => Create("odd", config: ("retention.ms", "soon"))),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("a null value", static (_, _) => Create("odd", config: ("retention.ms", null))),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("an assignment", static (_, version) => Assigned($"assigned-{version}", -1, -1, [1])),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("an assignment and a number", static (_, _) => Assigned("both", 1, 1, [1])),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("an assignment to an unknown broker", static (_, _) => Assigned("far", -1, -1, [9])),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("an assignment to a broker twice", static (_, _) => Assigned("far", -1, -1, [1, 1])),
        new Question<CreateTopicsRequest, CreateTopicsResponse>("an empty assignment", static (_, _) => Assigned("far", -1, -1, [])),
        new Question<CreatePartitionsRequest, CreatePartitionsResponse>("as many as there are", static (_, _) => Grow("t", 2)),
        new Question<CreatePartitionsRequest, CreatePartitionsResponse>("fewer", static (_, _) => Grow("t", 1)),
        new Question<CreatePartitionsRequest, CreatePartitionsResponse>("an unknown topic", static (_, _) => Grow("nowhere", 3)),
        new Question<CreatePartitionsRequest, CreatePartitionsResponse>("validate only", static (_, _) => new() { TimeoutMs = 5000, Topics = [new() { Name = "t", Count = 3 }], ValidateOnly = true }),
        new Question<CreatePartitionsRequest, CreatePartitionsResponse>("twice", static (_, _) => new() { TimeoutMs = 5000, Topics = [new() { Name = "t", Count = 3 }, new() { Name = "t", Count = 3 }] }),
        new Question<CreatePartitionsRequest, CreatePartitionsResponse>("to an unknown broker", static (_, _) => new() { TimeoutMs = 5000, Topics = [new() { Name = "t", Count = 3, Assignments = [new() { BrokerIds = [9] }] }] }),
        new Question<CreatePartitionsRequest, CreatePartitionsResponse>("too few assignments", static (_, _) => new() { TimeoutMs = 5000, Topics = [new() { Name = "t", Count = 4, Assignments = [new() { BrokerIds = [1] }] }] }),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("an unknown name", static (_, _) => new() { TimeoutMs = 5000, TopicNames = ["nowhere"] }, to: 5),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("a name twice", static (_, _) => new() { TimeoutMs = 5000, TopicNames = ["t", "t"] }, to: 5),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("by name", static (_, version) => new() { TimeoutMs = 5000, TopicNames = [$"new-{version}"] }, to: 5, from: 2),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("an unknown name, newer", static (_, _) => Delete(("nowhere", null)), from: 6),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("an unknown id", static (_, _) => Delete((null, Nobody)), from: 6),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("name and id", static (scene, _) => Delete(("t", scene.Ids["t"])), from: 6),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("neither", static (_, _) => Delete((null, null)), from: 6),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("an id twice", static (scene, _) => Delete((null, scene.Ids["t"]), (null, scene.Ids["t"])), from: 6),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("a name twice, newer", static (_, _) => Delete(("t", null), ("t", null)), from: 6),
        new Question<DeleteTopicsRequest, DeleteTopicsResponse>("by name and by id", static (scene, _) => Delete(("a.b", null), (null, scene.Ids["a.b"])), from: 6),
    ];

    private static MetadataRequest Named(params string[] names) =>
        new() { Topics = [.. names.Select(static name => new MetadataRequest.Topic { Name = name })], AllowAutoTopicCreation = false };

    private static CreateTopicsRequest.Topic Topic(string name, int partitions = 1, short replicas = 1) =>
        new() { Name = name, NumPartitions = partitions, ReplicationFactor = replicas };

    private static CreateTopicsRequest Create(string name, int partitions = 1, short replicas = 1, bool validateOnly = false, (string Name, string? Value)? config = null)
    {
        CreateTopicsRequest.Topic topic = Topic(name, partitions, replicas);
        if (config is { } given)
        {
            topic.Configs.Add(new() { Name = given.Name, Value = given.Value });
        }
        return new() { Topics = [topic], ValidateOnly = validateOnly };
    }

    private static CreateTopicsRequest Assigned(string name, int partitions, short replicas, List<int> brokers)
    {
        CreateTopicsRequest.Topic topic = Topic(name, partitions, replicas);
        topic.Assignments.Add(new() { BrokerIds = brokers });
        return new() { Topics = [topic] };
    }

    private static CreatePartitionsRequest Grow(string name, int count) => new() { TimeoutMs = 5000, Topics = [new() { Name = name, Count = count, Assignments = null }] };

    private static DeleteTopicsRequest Delete(params (string? Name, Guid? Id)[] topics) => new()
    {
        TimeoutMs = 5000,
        Topics = [.. topics.Select(static topic => new DeleteTopicsRequest.Topic { Name = topic.Name, TopicId = topic.Id ?? Guid.Empty })],
    };
}
