namespace LogPipeline.Broker.Pipeline;

/// <summary>Says how much too fast a client is. May be called from any thread.</summary>
public interface IQuota
{
    /// <summary>
    /// Counts one request and returns for how long the client must be silent: the answer tells it so, and its connection is not
    /// read for that long. Zero while the client is within its bounds.
    /// </summary>
    /// <param name="principal">On whose behalf the request is made.</param>
    /// <param name="clientId">What the client calls itself; empty when it says nothing.</param>
    /// <param name="requestBytes">The request's body.</param>
    TimeSpan Charge(Principal principal, string clientId, int requestBytes);
}
