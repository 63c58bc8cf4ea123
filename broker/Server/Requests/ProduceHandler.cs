using System.Runtime.InteropServices;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;
using Answer = LogPipeline.Protocol.Messages.ProduceResponse.Response.PartitionResponse;

namespace LogPipeline.Broker.Requests;

// All batches of a request are appended before the first await, so requests of one connection are appended in order and the frame's
// bytes are free once the call has returned. acks 1 and all wait until the high watermark has passed what they appended (log.flush
// decides whether that needs an fsync). TimeoutMs bounds waiting for other replicas, of which there are none.
/// <summary>Produce: appends record batches.</summary>
internal sealed class ProduceHandler(TopicRegistry topics, ILogger logger) : RequestHandler<ProduceRequest, ProduceResponse>
{
    /// <summary>librdkafka before 2.12 compresses only where version 0 is advertised.</summary>
    public override short AdvertisedFrom => 0;

    public override short ServedFrom => 3;

    protected override ValueTask<ProduceResponse?> AnswerAsync(
        ProduceRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new ProduceResponse();
        var pending = new List<Pending>();
        foreach (ProduceRequest.TopicDataEntry data in request.TopicData)
        {
            Topic? topic = context.Version >= 13 ? topics.Find(data.TopicId) : topics.Find(data.Name);
            var answers = new List<Answer>(data.PartitionData.Count);
            foreach (ProduceRequest.TopicDataEntry.PartitionDataEntry entry in data.PartitionData)
            {
                answers.Add(Append(request, context, topic, entry, pending));
            }
            response.Responses.Add(new() { Name = data.Name, TopicId = data.TopicId, PartitionResponses = answers });
        }
        if (request.Acks == 0)
        {
            return Silence(response);
        }
        return pending.Count == 0 ? new(response) : CommittedAsync(response, pending, context.Version);
    }

    private Answer Append(
        ProduceRequest request, RequestContext context, Topic? topic, ProduceRequest.TopicDataEntry.PartitionDataEntry entry, List<Pending> pending)
    {
        var answer = new Answer { Index = entry.Index, BaseOffset = -1 };
        (answer.ErrorCode, answer.ErrorMessage) = Refusal(request, context, topic, entry);
        if (answer.ErrorCode != ErrorCode.None)
        {
            return answer;
        }
        Partition partition = topic!.Partition(entry.Index)!;
        try
        {
            AppendResult result = partition.Append(MemoryMarshal.AsMemory(entry.Records.Memory), AppendOrigin.Client);
            (answer.ErrorCode, answer.ErrorMessage) = (result.Error, result.Problem);
            answer.BaseOffset = result.BaseOffset;
            answer.LogStartOffset = result.LogStartOffset;
            if (result.Error == ErrorCode.None)
            {
                pending.Add(new Pending(partition, result.LastOffset + 1, answer));
            }
        }
        catch (IOException e)
        {
            Fail(answer, partition, context.Version, e);
        }
        return answer;
    }

    /// <summary>Why a batch is not even given to the log.</summary>
    private static (ErrorCode Error, string? Message) Refusal(
        ProduceRequest request, RequestContext context, Topic? topic, ProduceRequest.TopicDataEntry.PartitionDataEntry entry)
    {
        if (request.Acks is not (-1 or 0 or 1))
        {
            return (ErrorCode.InvalidRequiredAcks, null);
        }
        if (topic?.Partition(entry.Index) is null)
        {
            return (topic is null ? Unknown(context.Version) : ErrorCode.UnknownTopicOrPartition, null);
        }
        if (topic.IsInternal)
        {
            return (ErrorCode.InvalidTopicException, $"{topic.Name} is internal: clients may not write to it.");
        }
        (ErrorCode error, string? message) = ProducedBatch.Check(entry.Records.Memory.Span, context.Version, out BatchHeader header);
        if (error != ErrorCode.None)
        {
            return (error, message);
        }
        return request.TransactionalId is not null || header.IsTransactional
            ? (ErrorCode.InvalidTxnState, "Transactions are not served.")
            : (ErrorCode.None, null);
    }

    private async ValueTask<ProduceResponse?> CommittedAsync(ProduceResponse response, List<Pending> pending, short version)
    {
        foreach ((Partition partition, long endOffset, Answer answer) in pending)
        {
            try
            {
                await partition.CommittedAsync(endOffset); // ends with the flush, so a stopping broker needs no cancellation
            }
            catch (IOException e)
            {
                Fail(answer, partition, version, e);
            }
        }
        return response;
    }

    // A log that takes nothing has lost its disk, or its topic while the batch was under way.
    private void Fail(Answer answer, Partition partition, short version, IOException error)
    {
        answer.BaseOffset = -1;
        if (topics.Find(partition.TopicId) is null)
        {
            answer.ErrorCode = Unknown(version);
            return;
        }
        logger.AppendFailed(error, partition.Topic, partition.Number);
        (answer.ErrorCode, answer.ErrorMessage) = (ErrorCode.KafkaStorageError, error.Message);
    }

    private static ErrorCode Unknown(short version) => version >= 13 ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;

    /// <summary>acks=0 has no answer, so the only way to tell of an error is to close the connection.</summary>
    private static ValueTask<ProduceResponse?> Silence(ProduceResponse response)
    {
        foreach (ProduceResponse.Response topic in response.Responses)
        {
            if (topic.PartitionResponses.Find(answer => answer.ErrorCode != ErrorCode.None) is { } failed)
            {
                throw new CloseConnectionException($"produce with acks=0 to {topic.Name}-{failed.Index} failed: {failed.ErrorCode}");
            }
        }
        return default;
    }

    private readonly record struct Pending(Partition Partition, long EndOffset, Answer Answer);
}
