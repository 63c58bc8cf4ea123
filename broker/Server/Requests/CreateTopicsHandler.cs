using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Answer = LogPipeline.Protocol.Messages.CreateTopicsResponse.Topic;
using Asked = LogPipeline.Protocol.Messages.CreateTopicsRequest.Topic;

namespace LogPipeline.Broker.Requests;

/// <summary>CreateTopics; the error texts are Kafka's, since tools look at them.</summary>
internal sealed class CreateTopicsHandler(ClusterMetadata cluster, TopicRegistry topics, BrokerSettings settings)
    : RequestHandler<CreateTopicsRequest, CreateTopicsResponse>
{
    private const sbyte TopicSource = 1;
    private const sbyte DefaultSource = 5;

    protected override ValueTask<CreateTopicsResponse?> AnswerAsync(
        CreateTopicsRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new CreateTopicsResponse();
        if (request.Topics.Sum(topic => Math.Max(0L, PartitionsOf(topic))) > BrokerSettingTable.PartitionsMax)
        {
            response.Topics.AddRange(request.Topics.Select(topic =>
                Refused(topic.Name, ErrorCode.PolicyViolation, $"Excessively large number of partitions per request: at most {BrokerSettingTable.PartitionsMax} are created.")));
            return new(response);
        }
        foreach (IGrouping<string, Asked> asked in request.Topics.GroupBy(topic => topic.Name, StringComparer.Ordinal))
        {
            response.Topics.Add(asked.Count() > 1
                ? Refused(asked.Key, ErrorCode.InvalidRequest, "Duplicate topic name.")
                : Create(asked.First(), request.ValidateOnly));
        }
        return new(response);
    }

    private Answer Create(Asked asked, bool validateOnly)
    {
        int partitions = PartitionsOf(asked);
        if (Refusal(asked, partitions) is { } refused)
        {
            return refused;
        }
        Dictionary<string, string> given = asked.Configs.ToDictionary(config => config.Name, config => config.Value!, StringComparer.Ordinal);
        if (validateOnly)
        {
            return Accepted(asked.Name, Guid.Empty, partitions, new TopicSettings(settings, given));
        }
        try
        {
            (Topic topic, bool created) = topics.Create(asked.Name, partitions, given);
            return created
                ? Accepted(topic.Name, topic.Id, partitions, topic.Settings)
                : Taken(asked.Name, topic.Name);
        }
        catch (HandlesExhaustedException e)
        {
            return Refused(asked.Name, ErrorCode.PolicyViolation, e.Message);
        }
        catch (IOException e)
        {
            return Refused(asked.Name, ErrorCode.KafkaStorageError, e.Message);
        }
    }

    private int PartitionsOf(Asked asked) =>
        asked.Assignments.Count > 0 ? asked.Assignments.Count
        : asked.NumPartitions == -1 ? settings.PartitionsDefault
        : asked.NumPartitions;

    private Answer? Refusal(Asked asked, int partitions)
    {
        if (TopicName.Problem(asked.Name) is { } problem)
        {
            return Refused(asked.Name, ErrorCode.InvalidTopicException, problem);
        }
        if (cluster.Image.Find(asked.Name) is not null)
        {
            return Taken(asked.Name, asked.Name);
        }
        if (cluster.Image.FindColliding(asked.Name) is { } colliding)
        {
            return Taken(asked.Name, colliding);
        }
        if (asked.Assignments.Count > 0 && (asked.NumPartitions != -1 || asked.ReplicationFactor != -1))
        {
            return Refused(asked.Name, ErrorCode.InvalidRequest,
                $"A manual partition assignment was specified, but {(asked.ReplicationFactor != -1 ? "replication factor" : "numPartitions")} was not set to -1.");
        }
        if (partitions <= 0)
        {
            return Refused(asked.Name, ErrorCode.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.");
        }
        if (asked.ReplicationFactor is 0 or < -1)
        {
            return Refused(asked.Name, ErrorCode.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.");
        }
        if (asked.ReplicationFactor > 1)
        {
            return Refused(asked.Name, ErrorCode.InvalidReplicationFactor,
                $"Unable to replicate the partition {asked.ReplicationFactor} time(s): The target replication factor of "
                + $"{asked.ReplicationFactor} cannot be reached because only {cluster.Image.Brokers.Count} broker(s) are registered.");
        }
        return AssignmentRefusal(asked) ?? SettingsRefusal(asked);
    }

    private Answer? AssignmentRefusal(Asked asked)
    {
        if (asked.Assignments.Count == 0)
        {
            return null;
        }
        bool inOrder = asked.Assignments.Select(a => a.PartitionIndex).Order().SequenceEqual(Enumerable.Range(0, asked.Assignments.Count));
        return inOrder && asked.Assignments.All(a => a.BrokerIds is [var only] && cluster.Image.Brokers.ContainsKey(only))
            ? null
            : Refused(asked.Name, ErrorCode.InvalidReplicaAssignment, $"Partitions must be numbered from 0, each on one of the brokers {string.Join(", ", cluster.Image.Brokers.Keys)}.");
    }

    private static Answer? SettingsRefusal(Asked asked)
    {
        string? problem = asked.Configs.GroupBy(config => config.Name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? $"Setting {twice.Key} is given twice."
            : TopicSettings.Problem(asked.Configs.Select(config => KeyValuePair.Create(config.Name, config.Value)));
        return problem is null ? null : Refused(asked.Name, ErrorCode.InvalidConfig, problem);
    }

    /// <summary>What is told when a topic has the name, or one that collides with it.</summary>
    private static Answer Taken(string name, string existing) => name == existing
        ? Refused(name, ErrorCode.TopicAlreadyExists, $"Topic '{name}' already exists.")
        : Refused(name, ErrorCode.InvalidTopicException, $"Topic '{name}' collides with existing topic: {existing}");

    private static Answer Refused(string name, ErrorCode error, string message) =>
        new() { Name = name, ErrorCode = error, ErrorMessage = message, Configs = [] };

    private static Answer Accepted(string name, Guid id, int partitions, TopicSettings given) => new()
    {
        Name = name,
        TopicId = id,
        ErrorMessage = SettingDefinition.RemarkOn(given.Given.Select(static setting => (TopicSettingTable.Find(setting.Key)!, setting.Value))),
        NumPartitions = partitions,
        ReplicationFactor = 1,
        Configs = [.. TopicSettingTable.All.Select(setting => new Answer.Config
        {
            Name = setting.Name,
            Value = given.Value(setting),
            ConfigSource = given.Given.ContainsKey(setting.Name) ? TopicSource : DefaultSource,
        })],
    };
}
