using LogPipeline.Protocol;

namespace LogPipeline.Client;

/// <summary>A broker answered with an error code.</summary>
public class BrokerErrorException(ErrorCode code, string message) : Exception(message)
{
    /// <summary>What it answered.</summary>
    public ErrorCode Code { get; } = code;

    /// <summary>The broker's own words, where it said any.</summary>
    public string? Reason { get; init; }
}
