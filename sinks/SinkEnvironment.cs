using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Events;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Sinks;

/// <summary>What a sink takes from its host: time, chance, and where to speak.</summary>
public sealed record SinkEnvironment
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Seeds owner tokens and jitter; one owner, the worker.</summary>
    public required Random Random { get; init; }

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public ISinkEvents Events { get; init; } = new SilentSinkEvents();

    /// <summary>What people paused.</summary>
    public SinkPauses Pauses { get; init; } = SinkPauses.None();
}
