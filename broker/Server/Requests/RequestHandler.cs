using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Requests;

/// <summary>Serves one API.</summary>
internal interface IRequestHandler
{
    Api Api { get; }

    /// <summary>The oldest version told to clients.</summary>
    short AdvertisedFrom { get; }

    /// <summary>The oldest version served.</summary>
    short ServedFrom { get; }

    /// <summary>Decodes, acts and encodes the answer; null when the request wants none.</summary>
    ValueTask<FrameBuffer?> HandleAsync(RequestContext context, ReadOnlyMemory<byte> body, CancellationToken cancellation);
}

/// <summary>A handler that sees messages instead of bytes.</summary>
internal abstract class RequestHandler<TRequest, TResponse> : IRequestHandler
    where TRequest : class, IRequest<TResponse>, new()
    where TResponse : class, IWireStruct, new()
{
    public Api Api => TRequest.Api;

    public virtual short AdvertisedFrom => ServedFrom;

    public virtual short ServedFrom => Api.MinVersion;

    public async ValueTask<FrameBuffer?> HandleAsync(RequestContext context, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        TRequest request = Frames.ReadRequest<TRequest, TResponse>(body, context.Version);
        TResponse? response = await AnswerAsync(request, context, cancellation);
        return response is null ? null : Frames.Response(Api, response, context.Version, context.CorrelationId);
    }

    /// <summary>Acts on a request; null when it wants no answer.</summary>
    protected abstract ValueTask<TResponse?> AnswerAsync(TRequest request, RequestContext context, CancellationToken cancellation);
}
