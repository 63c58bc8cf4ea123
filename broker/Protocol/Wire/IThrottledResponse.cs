namespace LogPipeline.Protocol.Wire;

/// <summary>A response that can tell the client how long it must be silent.</summary>
public interface IThrottledResponse
{
    /// <summary>Milliseconds, 0 when the client is within its quotas. Versions without the field do not tell it.</summary>
    int ThrottleTimeMs { set; }
}
