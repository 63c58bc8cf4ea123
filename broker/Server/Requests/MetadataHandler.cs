using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Answer = LogPipeline.Protocol.Messages.MetadataResponse.Topic;

namespace LogPipeline.Broker.Requests;

/// <summary>Metadata: the brokers' addresses and the topics; creates topics that are asked for, before it answers.</summary>
internal sealed class MetadataHandler(ClusterMetadata cluster, TopicRegistry topics, BrokerSettings settings)
    : RequestHandler<MetadataRequest, MetadataResponse>
{
    private const short FirstVersionWithTopicIds = 12;

    protected override ValueTask<MetadataResponse?> AnswerAsync(
        MetadataRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (Refused(request, context.Version) is { } refused)
        {
            return new(new MetadataResponse { Topics = [.. refused] });
        }
        ClusterImage image = cluster.Image;
        var response = new MetadataResponse
        {
            Brokers = [.. image.Brokers.Values.Select(broker => Describe(broker, context.Connection))],
            ClusterId = image.ClusterId,
            ControllerId = image.ControllerId,
            ClusterAuthorizedOperations = request.IncludeClusterAuthorizedOperations
                ? AuthorizedOperations.OfCluster(context)
                : AuthorizedOperations.NotAsked,
            Topics = [.. Describe(request, image, context.Version)],
        };
        if (request.IncludeTopicAuthorizedOperations)
        {
            foreach (Answer topic in response.Topics.Where(static topic => topic.Name is not null))
            {
                topic.TopicAuthorizedOperations = AuthorizedOperations.Of(context, ResourceType.Topic, topic.Name!);
            }
        }
        return new(response);
    }

    /// <summary>Answers that refuse ids where the version has them in its answers only; null when there are none.</summary>
    private static IEnumerable<Answer>? Refused(MetadataRequest request, short version) =>
        version < FirstVersionWithTopicIds && request.Topics is { } asked && asked.Exists(static topic => topic.Name is null || topic.TopicId != Guid.Empty)
            ? asked.Select(static topic => new Answer { Name = topic.Name ?? "", TopicId = topic.TopicId, ErrorCode = ErrorCode.InvalidRequest })
            : null;

    // Each topic once, as in Kafka: one of many partitions that is named again and again would be a very large answer.
    private IEnumerable<Answer> Describe(MetadataRequest request, ClusterImage image, short version)
    {
        if (request.Topics is not { } asked || (version == 0 && asked.Count == 0))
        {
            return image.Topics.Values.Select(topic => Describe(topic, image));
        }
        // A request that gives any id asks by ids alone: a name beside them is not looked at, and creates nothing.
        HashSet<Guid> ids = [.. asked.Select(static topic => topic.TopicId).Where(static id => id != Guid.Empty)];
        if (ids.Count > 0)
        {
            return ids.Select(id => image.Find(id) is { } topic
                ? Describe(topic, image)
                : new Answer { ErrorCode = ErrorCode.UnknownTopicId, TopicId = id, Name = null });
        }
        int creatable = BrokerSettingTable.PartitionsMax / settings.PartitionsDefault;
        return [.. asked.Select(static topic => topic.Name).Distinct(StringComparer.Ordinal)
            .Select(name => Describe(name, request.AllowAutoTopicCreation, ref creatable))];
    }

    // creatable: how many topics this request may still create.
    private Answer Describe(string? name, bool mayCreate, ref int creatable)
    {
        ClusterImage image = cluster.Image;
        if (name is null)
        {
            return new() { ErrorCode = ErrorCode.UnknownTopicId };
        }
        if (image.Find(name) is { } topic)
        {
            return Describe(topic, image);
        }
        if (TopicName.Problem(name) is not null)
        {
            return new() { ErrorCode = ErrorCode.InvalidTopicException, Name = name };
        }
        if (!mayCreate || !settings.AutoCreateTopics || TopicName.IsInternal(name))
        {
            return new() { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = name };
        }
        return image.FindColliding(name) is not null ? new() { ErrorCode = ErrorCode.InvalidTopicException, Name = name }
            : creatable-- <= 0 ? new() { ErrorCode = ErrorCode.PolicyViolation, Name = name }
            : Create(name);
    }

    private Answer Create(string name)
    {
        try
        {
            (Topic topic, bool _) = topics.Create(name, settings.PartitionsDefault, new Dictionary<string, string>());
            ClusterImage image = cluster.Image;
            return topic.Name != name ? new() { ErrorCode = ErrorCode.InvalidTopicException, Name = name } // another that collides came first
                : image.Find(name) is { } created ? Describe(created, image)
                : new() { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = name }; // deleted at once
        }
        catch (HandlesExhaustedException)
        {
            return new() { ErrorCode = ErrorCode.PolicyViolation, Name = name };
        }
        catch (IOException)
        {
            return new() { ErrorCode = ErrorCode.KafkaStorageError, Name = name };
        }
    }

    private static MetadataResponse.Broker Describe(BrokerImage broker, ClientConnection connection)
    {
        (string host, int port) = broker.AddressFor(connection);
        return new MetadataResponse.Broker { NodeId = broker.Id, Host = host, Port = port };
    }

    private static Answer Describe(TopicImage topic, ClusterImage image) => new()
    {
        Name = topic.Name,
        TopicId = topic.Id,
        IsInternal = TopicName.IsInternal(topic.Name),
        Partitions = [.. topic.Partitions.Select((state, number) => Describe(number, state, image))],
    };

    private static Answer.Partition Describe(int number, PartitionState state, ClusterImage image)
    {
        int leader = image.LiveLeaderOf(state);
        return new Answer.Partition
        {
            ErrorCode = leader == PartitionState.NoLeader ? ErrorCode.LeaderNotAvailable : ErrorCode.None,
            PartitionIndex = number,
            LeaderId = leader,
            LeaderEpoch = state.LeaderEpoch,
            ReplicaNodes = [.. state.Replicas],
            IsrNodes = [.. state.InSync],
            OfflineReplicas = image.OfflineReplicasOf(state),
        };
    }
}
