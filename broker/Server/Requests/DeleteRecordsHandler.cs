using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;
using Answer = LogPipeline.Protocol.Messages.DeleteRecordsResponse.Topic.Partition;
using Asked = LogPipeline.Protocol.Messages.DeleteRecordsRequest.Topic.Partition;

namespace LogPipeline.Broker.Requests;

/// <summary>DeleteRecords: raises the start of logs; answered when the new starts are durable.</summary>
internal sealed class DeleteRecordsHandler(TopicRegistry topics, DataDirectory directory, ILogger logger)
    : RequestHandler<DeleteRecordsRequest, DeleteRecordsResponse>
{
    private const long HighWatermark = -1;

    protected override ValueTask<DeleteRecordsResponse?> AnswerAsync(
        DeleteRecordsRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new DeleteRecordsResponse();
        var accepted = new List<(Partition Partition, long Offset, Answer Answer)>();
        foreach (DeleteRecordsRequest.Topic topic in request.Topics)
        {
            response.Topics.Add(new()
            {
                Name = topic.Name,
                Partitions = [.. topic.Partitions.Select(asked => Check(topics.Find(topic.Name), asked, accepted))],
            });
        }
        Delete(accepted);
        return new(response);
    }

    private static Answer Check(Topic? topic, Asked asked, List<(Partition Partition, long Offset, Answer Answer)> accepted)
    {
        var answer = new Answer { PartitionIndex = asked.PartitionIndex, LowWatermark = -1 };
        if (topic?.Partition(asked.PartitionIndex) is not { } partition)
        {
            answer.ErrorCode = ErrorCode.UnknownTopicOrPartition;
            return answer;
        }
        answer.ErrorCode = partition.CheckLeader(epoch: -1);
        if (answer.ErrorCode != ErrorCode.None)
        {
            return answer;
        }
        long highWatermark = partition.HighWatermark;
        long offset = asked.Offset == HighWatermark ? highWatermark : asked.Offset;
        answer.ErrorCode = topic.IsInternal ? ErrorCode.InvalidTopicException
            : !topic.Settings.DeletesOldRecords ? ErrorCode.PolicyViolation
            : offset < 0 || offset > highWatermark ? ErrorCode.OffsetOutOfRange
            : ErrorCode.None;
        if (answer.ErrorCode == ErrorCode.None)
        {
            accepted.Add((partition, offset, answer));
        }
        return answer;
    }

    private void Delete(List<(Partition Partition, long Offset, Answer Answer)> accepted)
    {
        if (accepted.Count == 0)
        {
            return;
        }
        try
        {
            directory.DeleteRecords([.. accepted.Select(start => (start.Partition.Log!, start.Offset))]);
            accepted.ForEach(start => start.Answer.LowWatermark = start.Partition.LogStartOffset);
        }
        catch (IOException e)
        {
            logger.DeleteRecordsFailed(e, accepted.Count);
            accepted.ForEach(start => start.Answer.ErrorCode = ErrorCode.KafkaStorageError);
        }
    }
}
