using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker;

/// <summary>How to start a broker.</summary>
public sealed record BrokerOptions
{
    /// <summary>Where topics, offsets and settings live; created when it is not there, locked while the broker runs.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// Address to serve on, <c>host:port</c> or several <c>NAME://host:port</c> with commas; port 0 takes a free one, an empty host or
    /// <c>*</c> all interfaces. The setting <c>listeners</c> counts before it.
    /// </summary>
    public string Listen { get; init; } = "127.0.0.1:9092";

    /// <summary>
    /// Address told to clients, <c>host:port</c> or <c>NAME://host:port</c> for each listener. Without it each client is told the
    /// address it came in on. The setting <c>advertised.listeners</c> counts before it.
    /// </summary>
    public string? Advertise { get; init; }

    /// <summary>Settings by Kafka's own names (<c>num.partitions</c>, <c>log.segment.bytes</c> …) and ours (<c>log.flush</c>).</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Where diagnostics go; nowhere without it.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Told when a background loop died: the broker cannot go on, the process should stop. Without it the process fails fast.</summary>
    public Action<Exception>? OnFatal { get; init; }
}
