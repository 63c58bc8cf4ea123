using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Requests;

/// <summary>InitProducerId for idempotent producers: an id never given before. Transactions are refused.</summary>
internal sealed class InitProducerIdHandler(DataDirectory directory) : RequestHandler<InitProducerIdRequest, InitProducerIdResponse>
{
    protected override ValueTask<InitProducerIdResponse?> AnswerAsync(
        InitProducerIdRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.TransactionalId is not null)
        {
            return new(new InitProducerIdResponse { ErrorCode = ErrorCode.InvalidRequest });
        }
        try
        {
            return new(new InitProducerIdResponse { ProducerId = directory.NextProducerId(), ProducerEpoch = 0 });
        }
        catch (IOException)
        {
            return new(new InitProducerIdResponse { ErrorCode = ErrorCode.KafkaStorageError });
        }
    }
}
