using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.DescribeTopicPartitionsResponse.Topic;
using Place = LogPipeline.Protocol.Messages.DescribeTopicPartitionsRequest.Place;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeTopicPartitions: topics in the order of their names, in pages of partitions; creates nothing.</summary>
internal sealed class DescribeTopicPartitionsHandler(ClusterMetadata cluster)
    : RequestHandler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>
{
    /// <summary>Kafka's max.request.partition.size.limit.</summary>
    private const int PageMax = 2000;

    protected override ValueTask<DescribeTopicPartitionsResponse?> AnswerAsync(
        DescribeTopicPartitionsRequest request, RequestContext context, CancellationToken cancellation)
    {
        ClusterImage image = cluster.Image;
        var named = new SortedSet<string>(request.Topics.Select(static topic => topic.Name), StringComparer.Ordinal);
        if (request.Cursor is { } cursor && (cursor.PartitionIndex < 0 || (named.Count > 0 && !named.Contains(cursor.TopicName))))
        {
            return new(new DescribeTopicPartitionsResponse
            {
                Topics = [.. named.Select(static name => new Answer { Name = name, ErrorCode = ErrorCode.InvalidRequest })],
            });
        }
        IEnumerable<string> wanted = named.Count == 0 ? image.Topics.Keys : named;
        string first = request.Cursor?.TopicName ?? "";
        var response = new DescribeTopicPartitionsResponse();
        int left = Math.Clamp(request.ResponsePartitionLimit, 1, PageMax);
        foreach (string name in wanted.Where(name => string.CompareOrdinal(name, first) >= 0))
        {
            int from = request.Cursor is { } begin && name == begin.TopicName ? begin.PartitionIndex : 0;
            if (left == 0)
            {
                response.NextCursor = new Place { TopicName = name };
                break;
            }
            if (image.Find(name) is not { } topic)
            {
                response.Topics.Add(Unknown(name, context));
                continue;
            }
            Answer answer = Describe(topic, image, from, left);
            answer.TopicAuthorizedOperations = AuthorizedOperations.Of(context, ResourceType.Topic, name);
            response.Topics.Add(answer);
            left -= answer.Partitions.Count;
            if (from + answer.Partitions.Count < topic.Partitions.Count)
            {
                response.NextCursor = new Place { TopicName = name, PartitionIndex = from + answer.Partitions.Count };
                break;
            }
        }
        return new(response);
    }

    private static Answer Unknown(string name, RequestContext context) => new()
    {
        Name = name,
        IsInternal = TopicName.IsInternal(name),
        TopicAuthorizedOperations = AuthorizedOperations.Of(context, ResourceType.Topic, name),
        ErrorCode = TopicName.Problem(name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException,
    };

    private static Answer Describe(TopicImage topic, ClusterImage image, int from, int count) => new()
    {
        Name = topic.Name,
        TopicId = topic.Id,
        IsInternal = TopicName.IsInternal(topic.Name),
        Partitions = [.. topic.Partitions.Skip(from).Take(count).Select((state, index) => Describe(from + index, state, image))],
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
            EligibleLeaderReplicas = [],
            LastKnownElr = [],
            OfflineReplicas = image.OfflineReplicasOf(state),
        };
    }
}
