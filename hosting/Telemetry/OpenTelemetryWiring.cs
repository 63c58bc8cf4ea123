using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>
/// The OpenTelemetry SDK, wired once: shaped so that a host that has <c>services.AddOpenTelemetry()</c> calls
/// <c>.WithMetrics(metrics => metrics.AddLogPipeline(options))</c> and nothing else changes.
/// </summary>
public static class OpenTelemetryWiring
{
    /// <summary>Every room's meter is named <c>LogPipeline.Room</c>.</summary>
    public const string MeterPattern = "LogPipeline.*";

    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const int GrpcPort = 4317;

    /// <summary>True when metrics are to be pushed somewhere.</summary>
    public static bool IsWanted(TelemetryOptions options)
        => options.Otlp is not null || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable));

    public static MeterProviderBuilder AddLogPipeline(this MeterProviderBuilder metrics, TelemetryOptions options)
        => metrics.AddMeter(MeterPattern)
            .ConfigureResource(resource => resource.AddService(options.ServiceName, serviceVersion: Product.Version))
            .AddOtlpExporter(exporter => Aim(exporter, options.Otlp));

    // Without an endpoint of ours the exporter reads its own OTEL_ variables. Over HTTP an endpoint set by code is used as it is, path included.
    private static void Aim(OtlpExporterOptions exporter, Uri? endpoint)
    {
        if (endpoint is null)
        {
            return;
        }
        bool grpc = endpoint.Port == GrpcPort;
        exporter.Protocol = grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = grpc || endpoint.AbsolutePath != "/" ? endpoint : new Uri(endpoint, "/v1/metrics");
    }
}
