using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>InitProducerId for idempotent producers: an id never given before. Transactions are refused.</summary>
/// <param name="nextProducerId">Returns one; it throws an <see cref="IOException"/> when the disk refuses to reserve more.</param>
internal sealed class InitProducerIdHandler(Func<long> nextProducerId) : RequestHandler<InitProducerIdRequest, InitProducerIdResponse>
{
    protected override ValueTask<InitProducerIdResponse?> AnswerAsync(
        InitProducerIdRequest request, RequestContext context, CancellationToken cancellation)
    {
        bool namesHalf = (request.ProducerId == -1) != (request.ProducerEpoch == -1);
        if (request.TransactionalId is not null || namesHalf)
        {
            return new(new InitProducerIdResponse { ErrorCode = ErrorCode.InvalidRequest, ProducerEpoch = -1 });
        }
        try
        {
            return new(new InitProducerIdResponse { ProducerId = nextProducerId(), ProducerEpoch = 0 });
        }
        catch (IOException)
        {
            return new(new InitProducerIdResponse { ErrorCode = ErrorCode.KafkaStorageError, ProducerEpoch = -1 });
        }
    }
}
