using System.Runtime.InteropServices;
using LogPipeline.Broker.Conversion;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
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
// bytes are free once the call has returned. Where a batch has to be converted first, the handler leaves the connection's thread, and the
// connection waits until all are appended. acks 1 and all wait until the high watermark has passed what they appended (log.flush
// decides whether that needs an fsync). TimeoutMs bounds waiting for other replicas, of which there are none.
/// <summary>Produce: appends record batches.</summary>
internal sealed class ProduceHandler(TopicRegistry topics, AppendConversion conversion, BrokerTelemetry telemetry, ILogger logger)
    : RequestHandler<ProduceRequest, ProduceResponse>
{
    /// <summary>Clients of older versions may take KafkaStorageError for one that does not pass.</summary>
    private const short FirstVersionWithStorageError = 4;

    protected override ValueTask<ProduceResponse?> AnswerAsync(
        ProduceRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new ProduceResponse();
        var pending = new List<Pending>();
        List<Unconverted>? unconverted = null;
        foreach (ProduceRequest.TopicDataEntry data in request.TopicData)
        {
            Topic? topic = context.Version >= 13 ? topics.Find(data.TopicId) : topics.Find(data.Name);
            var answers = new List<Answer>(data.PartitionData.Count);
            foreach (ProduceRequest.TopicDataEntry.PartitionDataEntry entry in data.PartitionData)
            {
                var answer = new Answer { Index = entry.Index, BaseOffset = -1 };
                answers.Add(answer);
                (answer.ErrorCode, answer.ErrorMessage) = Refusal(request, context, topic, entry, out BatchHeader header);
                if (answer.ErrorCode != ErrorCode.None || entry.Records.Length == 0)
                {
                    continue;
                }
                Partition partition = topic!.Partition(entry.Index)!;
                if (unconverted is not null || AppendConversion.IsNeeded(in header, topic.Settings.Records))
                {
                    (unconverted ??= []).Add(new Unconverted(topic.Settings, partition, entry.Records.Memory, answer));
                    continue;
                }
                Append(partition, MemoryMarshal.AsMemory(entry.Records.Memory), answer, context.Version, pending);
            }
            response.Responses.Add(new() { Name = data.Name, TopicId = data.TopicId, PartitionResponses = answers });
        }
        return unconverted is null
            ? AnswerAsync(request, response, pending, context)
            : ConvertAsync(request, response, unconverted, pending, context, cancellation);
    }

    private ValueTask<ProduceResponse?> AnswerAsync(ProduceRequest request, ProduceResponse response, List<Pending> pending, RequestContext context)
    {
        if (request.Acks == 0)
        {
            Count(response, context.ClientId);
            return Silence(response);
        }
        if (pending.Count > 0)
        {
            return CommittedAsync(response, pending, context);
        }
        Count(response, context.ClientId);
        return new(response);
    }

    private void Count(ProduceResponse response, string clientId)
    {
        foreach (ProduceResponse.Response topic in response.Responses)
        {
            foreach (Answer answer in topic.PartitionResponses)
            {
                if (answer.ErrorCode != ErrorCode.None)
                {
                    telemetry.ProduceRefused(answer.ErrorCode, clientId);
                }
            }
        }
    }

    private async ValueTask<ProduceResponse?> ConvertAsync(
        ProduceRequest request,
        ProduceResponse response,
        List<Unconverted> unconverted,
        List<Pending> pending,
        RequestContext context,
        CancellationToken cancellation)
    {
        var appended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        context.Connection.FrameInUse = appended.Task;
        await Task.Yield(); // computing takes long: not on the thread that serves other connections too
        try
        {
            foreach ((TopicSettings settings, Partition partition, ReadOnlyMemory<byte> records, Answer answer) in unconverted)
            {
                (ErrorCode error, string? message) = await AppendConvertedAsync(settings, partition, records, answer, context.Version, pending, cancellation);
                if (error != ErrorCode.None)
                {
                    (answer.ErrorCode, answer.ErrorMessage) = (OfVersion(error, context.Version), message);
                }
            }
        }
        finally
        {
            appended.SetResult();
        }
        return await AnswerAsync(request, response, pending, context);
    }

    private ValueTask<(ErrorCode Error, string? Message)> AppendConvertedAsync(
        TopicSettings settings,
        Partition partition,
        ReadOnlyMemory<byte> records,
        Answer answer,
        short version,
        List<Pending> pending,
        CancellationToken cancellation)
    {
        ErrorCode error = partition.CheckLeader(-1);
        return error != ErrorCode.None
            ? new((error, null))
            : conversion.ConvertAsync(
                records,
                settings.Records,
                partition.Log!.Options.BatchBytesMax,
                batch => Append(partition, batch, answer, version, pending),
                cancellation);
    }

    private void Append(Partition partition, Memory<byte> batch, Answer answer, short version, List<Pending> pending)
    {
        try
        {
            AppendResult result = partition.Append(batch, AppendOrigin.Client);
            (answer.ErrorCode, answer.ErrorMessage) = (OfVersion(result.Error, version), result.Problem);
            answer.BaseOffset = result.BaseOffset;
            answer.LogStartOffset = result.LogStartOffset;
            answer.LogAppendTimeMs = result.LogAppendTime;
            if (result.Error == ErrorCode.None)
            {
                pending.Add(new Pending(partition, result.LastOffset + 1, answer));
            }
            else if (result.RefusedRecords is { } refused)
            {
                answer.RecordErrors = [.. refused.Select(static record => new Answer.RecordError { BatchIndex = record.Index, BatchIndexErrorMessage = record.Reason })];
            }
        }
        catch (IOException e)
        {
            Fail(answer, partition, version, e);
        }
    }

    /// <summary>Why a batch is not even given to the log.</summary>
    private static (ErrorCode Error, string? Message) Refusal(
        ProduceRequest request, RequestContext context, Topic? topic, ProduceRequest.TopicDataEntry.PartitionDataEntry entry, out BatchHeader header)
    {
        header = default;
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
        (ErrorCode error, string? message) = ProducedBatch.Check(entry.Records.Memory.Span, context.Version, out header);
        if (error != ErrorCode.None)
        {
            return (error, message);
        }
        return request.TransactionalId is not null || header.IsTransactional
            ? (ErrorCode.InvalidTxnState, "Transactions are not served.")
            : (ErrorCode.None, null);
    }

    private async ValueTask<ProduceResponse?> CommittedAsync(ProduceResponse response, List<Pending> pending, RequestContext context)
    {
        foreach ((Partition partition, long endOffset, Answer answer) in pending)
        {
            try
            {
                await partition.CommittedAsync(endOffset); // ends with the flush, so a stopping broker needs no cancellation
            }
            catch (IOException e)
            {
                Fail(answer, partition, context.Version, e);
            }
        }
        Count(response, context.ClientId);
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
        (answer.ErrorCode, answer.ErrorMessage) = (OfVersion(ErrorCode.KafkaStorageError, version), error.Message);
    }

    private static ErrorCode OfVersion(ErrorCode error, short version) =>
        error == ErrorCode.KafkaStorageError && version < FirstVersionWithStorageError ? ErrorCode.NotLeaderOrFollower : error;

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

    private readonly record struct Unconverted(TopicSettings Settings, Partition Partition, ReadOnlyMemory<byte> Records, Answer Answer);
}
