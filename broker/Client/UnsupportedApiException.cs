using LogPipeline.Protocol;

namespace LogPipeline.Client;

/// <summary>The broker does not speak an API, or no version of it that we speak.</summary>
public sealed class UnsupportedApiException(ApiKey key, string message) : NotSupportedException(message)
{
    public ApiKey Key { get; } = key;
}
