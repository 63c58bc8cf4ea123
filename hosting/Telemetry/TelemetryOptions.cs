namespace LogPipeline.Hosting.Telemetry;

/// <summary>What a process shows of itself, and where. The shape of <c>admin:</c> and <c>telemetry:</c> in logpipe.yaml.</summary>
public sealed record TelemetryOptions
{
    /// <summary><c>host:port</c> of <c>/metrics</c> and <c>/healthz</c>; null = none. Port 0 takes a free one.</summary>
    public string? AdminListen { get; init; }

    /// <summary>Where metrics and traces are pushed by OTLP: port 4317 means gRPC, any other HTTP. Null = only where OTEL_EXPORTER_OTLP_ENDPOINT says so.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>The activity sources whose spans are pushed where metrics are. Empty = no tracing. An <see cref="Otlp"/> with a path takes metrics only.</summary>
    public IReadOnlyList<string> TraceSources { get; init; } = [];

    /// <summary>How this process is named to a collector.</summary>
    public string ServiceName { get; init; } = "logpipe";
}
