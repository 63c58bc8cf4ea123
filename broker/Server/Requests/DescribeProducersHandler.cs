using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Answer = LogPipeline.Protocol.Messages.DescribeProducersResponse.Topic.Partition;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeProducers: what is durably appended of each idempotent producer; recovering producers rest on it.</summary>
internal sealed class DescribeProducersHandler(TopicRegistry topics) : RequestHandler<DescribeProducersRequest, DescribeProducersResponse>
{
    protected override async ValueTask<DescribeProducersResponse?> AnswerAsync(
        DescribeProducersRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new DescribeProducersResponse();
        foreach (DescribeProducersRequest.Topic topic in request.Topics)
        {
            var answers = new List<Answer>();
            foreach (int number in topic.PartitionIndexes.Distinct()) // a partition may have thousands of producers
            {
                answers.Add(await DescribeAsync(topic.Name, number, cancellation));
            }
            response.Topics.Add(new() { Name = topic.Name, Partitions = answers });
        }
        return response;
    }

    private async ValueTask<Answer> DescribeAsync(string topic, int number, CancellationToken cancellation)
    {
        var answer = new Answer { PartitionIndex = number };
        answer.ErrorCode = PartitionCheck.Find(topics, topic, number, -1, out Partition partition);
        if (answer.ErrorCode != ErrorCode.None)
        {
            answer.ErrorMessage = answer.ErrorCode == ErrorCode.UnknownTopicOrPartition ? "This server does not host this topic-partition." : null;
            return answer;
        }
        try
        {
            answer.ActiveProducers.AddRange((await partition.ProducersAsync(cancellation)).Select(Describe));
        }
        catch (IOException e)
        {
            (answer.ErrorCode, answer.ErrorMessage) = (ErrorCode.KafkaStorageError, e.Message);
        }
        return answer;
    }

    private static Answer.ActiveProducer Describe(ProducerState producer) => new()
    {
        ProducerId = producer.ProducerId,
        ProducerEpoch = producer.Epoch,
        LastSequence = producer.LastSequence,
        LastTimestamp = producer.LastTimestamp,
        CoordinatorEpoch = -1,
    };
}
