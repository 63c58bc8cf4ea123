using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Pipeline;

/// <summary>What one API's requests touch, and how they are answered where that is not allowed. No handler knows of it.</summary>
internal abstract class AccessRule<TRequest, TResponse>
    where TRequest : class, IRequest<TResponse>
    where TResponse : class, IWireStruct, new()
{
    /// <summary>
    /// Takes out of the request what its principal may not do (<see cref="RequestContext.Allows"/>), so that the handler never sees it.
    /// </summary>
    /// <returns>Null when nothing was taken out.</returns>
    public abstract Denial<TResponse>? Check(TRequest request, RequestContext context);
}

/// <summary>What is left to say of a request that was denied, whole or in parts.</summary>
/// <param name="Whole">The answer, when nothing of the request is left for the handler.</param>
/// <param name="Complete">Adds to the handler's answer what was taken out of the request, or takes out of it what may not be told.</param>
internal sealed record Denial<TResponse>(TResponse? Whole, Action<TResponse>? Complete = null)
    where TResponse : class;
