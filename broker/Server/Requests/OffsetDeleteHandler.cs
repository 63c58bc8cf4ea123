using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>OffsetDelete: removes committed offsets of topics that the group does not read; answered when that is durable.</summary>
internal sealed class OffsetDeleteHandler(TopicRegistry topics, GroupCoordinator groups)
    : RequestHandler<OffsetDeleteRequest, OffsetDeleteResponse>
{
    protected override async ValueTask<OffsetDeleteResponse?> AnswerAsync(
        OffsetDeleteRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.GroupId.Length == 0)
        {
            return new() { ErrorCode = ErrorCode.InvalidGroupId };
        }
        List<(string Topic, int Partition)> known = [.. request.Topics
            .SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex)))
            .Where(key => topics.Find(key.Name)?.Partition(key.PartitionIndex) is not null)];
        (ErrorCode error, HashSet<string> subscribed) = await groups.DeleteOffsetsAsync(request.GroupId, known, cancellation);
        if (error != ErrorCode.None)
        {
            return new() { ErrorCode = error };
        }
        HashSet<(string, int)> isKnown = [.. known];
        return new()
        {
            Topics = [.. request.Topics.Select(topic => new OffsetDeleteResponse.Topic
            {
                Name = topic.Name,
                Partitions = [.. topic.Partitions.Select(partition => new OffsetDeleteResponse.Topic.Partition
                {
                    PartitionIndex = partition.PartitionIndex,
                    ErrorCode = !isKnown.Contains((topic.Name, partition.PartitionIndex)) ? ErrorCode.UnknownTopicOrPartition
                        : subscribed.Contains(topic.Name) ? ErrorCode.GroupSubscribedToTopic
                        : ErrorCode.None,
                })],
            })],
        };
    }
}
