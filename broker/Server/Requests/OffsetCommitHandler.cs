using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.OffsetCommitResponse.Topic.Partition;
using Asked = LogPipeline.Protocol.Messages.OffsetCommitRequest.Topic.Partition;

namespace LogPipeline.Broker.Requests;

// Version 0 was for offsets in ZooKeeper. It names neither member nor generation: here it commits as a client without a group does.
/// <summary>OffsetCommit: a group's resume points, answered when they are durable.</summary>
internal sealed class OffsetCommitHandler(TopicRegistry topics, GroupCoordinator groups, BrokerSettings settings, TimeProvider time)
    : RequestHandler<OffsetCommitRequest, OffsetCommitResponse>
{
    protected override async ValueTask<OffsetCommitResponse?> AnswerAsync(
        OffsetCommitRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new OffsetCommitResponse();
        var accepted = new List<Answer>();
        var offsets = new List<(string Topic, int Partition, OffsetValue Value)>();
        foreach (OffsetCommitRequest.Topic asked in request.Topics)
        {
            Topic? topic = context.Version >= 10 ? topics.Find(asked.TopicId) : topics.Find(asked.Name);
            var answers = new List<Answer>(asked.Partitions.Count);
            foreach (Asked partition in asked.Partitions)
            {
                var answer = new Answer { PartitionIndex = partition.PartitionIndex, ErrorCode = Refusal(topic, partition, context.Version) };
                answers.Add(answer);
                if (answer.ErrorCode == ErrorCode.None)
                {
                    accepted.Add(answer);
                    offsets.Add((topic!.Name, partition.PartitionIndex, Value(partition)));
                }
            }
            response.Topics.Add(new() { Name = asked.Name, TopicId = asked.TopicId, Partitions = answers });
        }
        ErrorCode error = await CommitAsync(request, offsets, context.Version, cancellation);
        accepted.ForEach(answer => answer.ErrorCode = error);
        return response;
    }

    private async ValueTask<ErrorCode> CommitAsync(
        OffsetCommitRequest request, List<(string Topic, int Partition, OffsetValue Value)> offsets, short version, CancellationToken cancellation)
    {
        bool plain = request.GenerationIdOrMemberEpoch < 0;
        if (!plain && groups.Find(request.GroupId) is null)
        {
            return version >= 9 ? ErrorCode.GroupIdNotFound : ErrorCode.IllegalGeneration;
        }
        return await groups.CommitAsync(request, offsets, cancellation);
    }

    private ErrorCode Refusal(Topic? topic, Asked partition, short version) =>
        topic is null && version >= 10 ? ErrorCode.UnknownTopicId
        : topic?.Partition(partition.PartitionIndex) is null ? ErrorCode.UnknownTopicOrPartition
        : (partition.CommittedMetadata?.Length ?? 0) > settings.OffsetMetadataLengthMax ? ErrorCode.OffsetMetadataTooLarge
        : ErrorCode.None;

    private OffsetValue Value(Asked partition) => new()
    {
        Offset = partition.CommittedOffset,
        LeaderEpoch = partition.CommittedLeaderEpoch,
        Metadata = partition.CommittedMetadata ?? "",
        CommitTimestamp = time.GetUtcNow().ToUnixTimeMilliseconds(),
    };
}
