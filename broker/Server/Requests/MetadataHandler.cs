using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Requests;

/// <summary>Metadata: the brokers' addresses and the topics; creates topics that are asked for, before it answers.</summary>
internal sealed class MetadataHandler(ClusterMetadata cluster, TopicRegistry topics, BrokerSettings settings)
    : RequestHandler<MetadataRequest, MetadataResponse>
{
    protected override ValueTask<MetadataResponse?> AnswerAsync(
        MetadataRequest request, RequestContext context, CancellationToken cancellation)
    {
        ClusterImage image = cluster.Image;
        var response = new MetadataResponse
        {
            Brokers = [.. image.Brokers.Values.Select(broker => Describe(broker, context.Connection))],
            ClusterId = image.ClusterId,
            ControllerId = image.ControllerId,
        };
        if (request.Topics is null || (context.Version == 0 && request.Topics.Count == 0))
        {
            response.Topics.AddRange(image.Topics.Values.Select(topic => Describe(topic, image)));
        }
        else
        {
            // Each once, as in Kafka: a topic of many partitions that is named again and again would be a very large answer.
            int creatable = BrokerSettingTable.PartitionsMax / settings.PartitionsDefault;
            foreach (MetadataRequest.Topic topic in request.Topics.DistinctBy(topic => (topic.Name, topic.TopicId)))
            {
                response.Topics.Add(Describe(topic, request.AllowAutoTopicCreation, ref creatable));
            }
        }
        return new(response);
    }

    // creatable: how many topics this request may still create.
    private MetadataResponse.Topic Describe(MetadataRequest.Topic asked, bool mayCreate, ref int creatable)
    {
        ClusterImage image = cluster.Image;
        if (asked.Name is null)
        {
            return image.Find(asked.TopicId) is { } byId
                ? Describe(byId, image)
                : new() { ErrorCode = ErrorCode.UnknownTopicId, TopicId = asked.TopicId, Name = null };
        }
        if (image.Find(asked.Name) is { } byName)
        {
            return Describe(byName, image);
        }
        if (TopicName.Problem(asked.Name) is not null)
        {
            return new() { ErrorCode = ErrorCode.InvalidTopicException, Name = asked.Name };
        }
        if (!mayCreate || !settings.AutoCreateTopics || TopicName.IsInternal(asked.Name))
        {
            return new() { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = asked.Name };
        }
        if (creatable-- <= 0)
        {
            return new() { ErrorCode = ErrorCode.PolicyViolation, Name = asked.Name };
        }
        try
        {
            topics.Create(asked.Name, settings.PartitionsDefault, new Dictionary<string, string>());
            image = cluster.Image;
            return image.Find(asked.Name) is { } created
                ? Describe(created, image)
                : new() { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = asked.Name }; // deleted at once
        }
        catch (HandlesExhaustedException)
        {
            return new() { ErrorCode = ErrorCode.PolicyViolation, Name = asked.Name };
        }
        catch (IOException)
        {
            return new() { ErrorCode = ErrorCode.KafkaStorageError, Name = asked.Name };
        }
    }

    private static MetadataResponse.Broker Describe(BrokerImage broker, ClientConnection connection)
    {
        (string host, int port) = broker.AddressFor(connection);
        return new MetadataResponse.Broker { NodeId = broker.Id, Host = host, Port = port };
    }

    private static MetadataResponse.Topic Describe(TopicImage topic, ClusterImage image) => new()
    {
        Name = topic.Name,
        TopicId = topic.Id,
        IsInternal = TopicName.IsInternal(topic.Name),
        Partitions = [.. topic.Partitions.Select((state, number) => Describe(number, state, image))],
    };

    private static MetadataResponse.Topic.Partition Describe(int number, PartitionState state, ClusterImage image)
    {
        bool hasLeader = image.Brokers.ContainsKey(state.Leader);
        return new MetadataResponse.Topic.Partition
        {
            ErrorCode = hasLeader ? ErrorCode.None : ErrorCode.LeaderNotAvailable,
            PartitionIndex = number,
            LeaderId = hasLeader ? state.Leader : PartitionState.NoLeader,
            LeaderEpoch = state.LeaderEpoch,
            ReplicaNodes = [.. state.Replicas],
            IsrNodes = [.. state.InSync],
            OfflineReplicas = hasLeader ? [.. state.Replicas.Where(node => !image.Brokers.ContainsKey(node))] : [.. state.Replicas],
        };
    }
}
