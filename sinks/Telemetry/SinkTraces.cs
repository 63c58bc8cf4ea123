namespace LogPipeline.Sinks.Telemetry;

/// <summary>The activity sources of the libraries that a sink works with.</summary>
public static class SinkTraces
{
    /// <summary>One span for each statement or COPY, a few for each flush, and one for each notice of a sink; none for a line.</summary>
    public static IReadOnlyList<string> Sources { get; } = ["Npgsql", "MassTransit"];
}
