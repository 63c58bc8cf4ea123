using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.OffsetForLeaderEpochResponse.Topic.Partition;
using Asked = LogPipeline.Protocol.Messages.OffsetForLeaderEpochRequest.Topic.Partition;

namespace LogPipeline.Broker.Requests;

/// <summary>OffsetForLeaderEpoch: where an epoch ends, so that a reader notices that what it read was cut off.</summary>
internal sealed class OffsetForLeaderEpochHandler(TopicRegistry topics)
    : RequestHandler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>
{
    protected override ValueTask<OffsetForLeaderEpochResponse?> AnswerAsync(
        OffsetForLeaderEpochRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new OffsetForLeaderEpochResponse();
        foreach (OffsetForLeaderEpochRequest.Topic topic in request.Topics)
        {
            response.Topics.Add(new() { Name = topic.Name, Partitions = [.. topic.Partitions.Select(asked => Find(topic.Name, asked))] });
        }
        return new(response);
    }

    private Answer Find(string topic, Asked asked)
    {
        var answer = new Answer { Index = asked.Index };
        answer.ErrorCode = PartitionCheck.Find(topics, topic, asked.Index, asked.CurrentLeaderEpoch, out Partition partition);
        if (answer.ErrorCode == ErrorCode.None)
        {
            (answer.LeaderEpoch, long end) = partition.EndOffsetForEpoch(asked.LeaderEpoch);
            answer.EndOffset = Math.Min(end, partition.HighWatermark);
        }
        return answer;
    }
}
