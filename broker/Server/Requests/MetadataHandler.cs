using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Requests;

/// <summary>Metadata: this broker's address and the topics; creates topics that are asked for, before it answers.</summary>
internal sealed class MetadataHandler(TopicRegistry topics, BrokerSettings settings, DataDirectory directory)
    : RequestHandler<MetadataRequest, MetadataResponse>
{
    protected override ValueTask<MetadataResponse?> AnswerAsync(
        MetadataRequest request, RequestContext context, CancellationToken cancellation)
    {
        (string host, int port) = context.Connection.Advertised;
        var response = new MetadataResponse
        {
            Brokers = [new() { NodeId = directory.NodeId, Host = host, Port = port }],
            ClusterId = directory.ClusterId,
            ControllerId = directory.NodeId,
        };
        if (request.Topics is null || (context.Version == 0 && request.Topics.Count == 0))
        {
            response.Topics.AddRange(topics.All.Select(Describe));
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
        if (asked.Name is null)
        {
            return topics.Find(asked.TopicId) is { } byId
                ? Describe(byId)
                : new() { ErrorCode = ErrorCode.UnknownTopicId, TopicId = asked.TopicId, Name = null };
        }
        if (topics.Find(asked.Name) is { } byName)
        {
            return Describe(byName);
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
            return Describe(topics.Create(asked.Name, settings.PartitionsDefault, new Dictionary<string, string>()).Topic);
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

    private static MetadataResponse.Topic Describe(Topic topic) => new()
    {
        Name = topic.Name,
        TopicId = topic.Id,
        IsInternal = topic.IsInternal,
        Partitions = [.. topic.Partitions.Select(Describe)],
    };

    private static MetadataResponse.Topic.Partition Describe(Partition partition)
    {
        PartitionState state = partition.State;
        bool isOffline = partition.Role == PartitionRole.Offline;
        return new MetadataResponse.Topic.Partition
        {
            ErrorCode = isOffline ? ErrorCode.LeaderNotAvailable : ErrorCode.None,
            PartitionIndex = partition.Number,
            LeaderId = isOffline ? -1 : state.Leader,
            LeaderEpoch = state.LeaderEpoch,
            ReplicaNodes = [.. state.Replicas],
            IsrNodes = [.. state.InSync],
            OfflineReplicas = isOffline ? [.. state.Replicas] : [],
        };
    }
}
