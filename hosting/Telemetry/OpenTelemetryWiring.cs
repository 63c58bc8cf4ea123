using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>
/// The OpenTelemetry SDK, wired once by OpenTelemetry.Extensions.Hosting: any host's services can take the same call.
/// <see cref="ProcessTelemetry"/> starts it without a generic host, so that the agent stays small.
/// </summary>
public static class OpenTelemetryWiring
{
    /// <summary>Every room's meter is named <c>LogPipeline.Room</c>.</summary>
    public const string MeterPattern = "LogPipeline.*";

    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string MetricsPath = "/v1/metrics";
    private const string TracesPath = "/v1/traces";
    private const int GrpcPort = 4317;

    /// <summary>True when telemetry is to be pushed somewhere.</summary>
    public static bool IsWanted(TelemetryOptions options)
        => options.Otlp is not null || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable));

    public static IServiceCollection AddLogPipelineTelemetry(this IServiceCollection services, TelemetryOptions options)
    {
        OpenTelemetryBuilder telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(options.ServiceName, serviceVersion: Product.Version))
            .WithMetrics(metrics => metrics
                .AddMeter(MeterPattern)
                .AddView(BucketsOf)
                .AddOtlpExporter(exporter => Aim(exporter, options.Otlp, MetricsPath)));
        // An endpoint with a path of its own names a receiver of metrics, such as Prometheus's /api/v1/otlp/v1/metrics.
        if (options.TraceSources.Count > 0 && options.Otlp is null or { AbsolutePath: "/" })
        {
            telemetry.WithTracing(traces => traces.AddSource([.. options.TraceSources]).AddOtlpExporter(exporter => Aim(exporter, options.Otlp, TracesPath)));
        }
        return services;
    }

    // The same as at /metrics: the package's own bounds are made for milliseconds.
    private static ExplicitBucketHistogramConfiguration? BucketsOf(Instrument instrument) => MetricSeries.KindOf(instrument) == MetricKind.Histogram
        ? new ExplicitBucketHistogramConfiguration { Boundaries = MetricSeries.BoundsOf(instrument) }
        : null;

    // Without an endpoint of ours the exporter reads its own OTEL_ variables. Over HTTP an endpoint set by code is used as it is, path included.
    private static void Aim(OtlpExporterOptions exporter, Uri? endpoint, string path)
    {
        if (endpoint is null)
        {
            return;
        }
        bool grpc = endpoint.Port == GrpcPort;
        exporter.Protocol = grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = grpc || endpoint.AbsolutePath != "/" ? endpoint : new Uri(endpoint, path);
    }
}
