using LogPipeline.Protocol;

namespace LogPipeline.Broker.Pipeline;

/// <summary>What a client has used since it was charged last.</summary>
/// <param name="Principal">On whose behalf the request is made.</param>
/// <param name="ClientId">What the client calls itself; empty when it says nothing.</param>
/// <param name="Api">What it asks for now.</param>
/// <param name="RequestBytes">The request's body.</param>
/// <param name="AnsweredBytes">The answers that its connection got since the request before, fetched records included.</param>
public readonly record struct Usage(Principal Principal, string ClientId, ApiKey Api, int RequestBytes, long AnsweredBytes);

/// <summary>Says how much too fast a client is. May be called from any thread.</summary>
public interface IQuota
{
    /// <summary>
    /// Charges what a client has used and returns for how long it must be silent: the answer tells it so, and its connection is not
    /// read for that long. Zero while the client is within its bounds.
    /// </summary>
    TimeSpan Charge(in Usage usage);
}
