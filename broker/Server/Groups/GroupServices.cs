using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Groups;

/// <summary>What every group needs from the broker.</summary>
internal sealed record GroupServices(
    BrokerSettings Settings, TimeProvider Time, MemberIds Ids, OffsetsTopic Offsets, BrokerTelemetry Telemetry, ILogger Logger);

/// <summary>Makes member ids; _lock guards the randomness.</summary>
internal sealed class MemberIds(Random random)
{
    private readonly Lock _lock = new();

    /// <summary>An id never given before: <paramref name="name"/>, a dash and a UUID.</summary>
    public string Next(string name)
    {
        Span<byte> bytes = stackalloc byte[16];
        lock (_lock)
        {
            random.NextBytes(bytes);
        }
        return $"{name}-{new Guid(bytes)}";
    }
}
