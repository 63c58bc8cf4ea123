using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Pipeline;

/// <summary>A handler that sees messages instead of bytes.</summary>
internal abstract class RequestHandler<TRequest, TResponse> : IRequestHandler
    where TRequest : class, IRequest<TResponse>, new()
    where TResponse : class, IWireStruct, new()
{
    public Api Api => TRequest.Api;

    public virtual bool IsBeforeAuthentication => false;

    /// <summary>Keeps from the handler what a principal may not do; null allows everything. Set before the first request.</summary>
    public AccessRule<TRequest, TResponse>? Access { get; set; }

    public async ValueTask<FrameBuffer?> HandleAsync(RequestContext context, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        TRequest request = Frames.ReadRequest<TRequest, TResponse>(body, context.Version);
        Denial<TResponse>? denial = Access?.Check(request, context);
        TResponse? response = denial?.Whole ?? await AnswerAsync(request, context, cancellation);
        if (response is null)
        {
            return null;
        }
        denial?.Complete?.Invoke(response);
        if (context.ThrottleTime > TimeSpan.Zero && response is IThrottledResponse throttled)
        {
            throttled.ThrottleTimeMs = (int)Math.Min(context.ThrottleTime.TotalMilliseconds, int.MaxValue);
        }
        return Frames.Response(Api, response, context.Version, context.CorrelationId);
    }

    public virtual FrameBuffer? Unsupported(int correlationId) => null;

    /// <summary>Acts on a request; null when it wants no answer.</summary>
    protected abstract ValueTask<TResponse?> AnswerAsync(TRequest request, RequestContext context, CancellationToken cancellation);
}
