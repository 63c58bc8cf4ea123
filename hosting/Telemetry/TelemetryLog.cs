using Microsoft.Extensions.Logging;

namespace LogPipeline.Hosting.Telemetry;

internal static partial class TelemetryLog
{
    [LoggerMessage(9101, LogLevel.Information, "/metrics and /healthz on http://{Address}")]
    public static partial void AdminServes(this ILogger logger, string address);

    [LoggerMessage(9102, LogLevel.Warning, "{Reason}; going on without /metrics and /healthz")]
    public static partial void AdminMissing(this ILogger logger, string reason);
}
