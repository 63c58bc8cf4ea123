using Microsoft.Extensions.Logging;

namespace LogPipeline.Hosting.Parts;

/// <summary>What the program itself says while its parts run.</summary>
internal static partial class RunnerLog
{
    [LoggerMessage(9001, LogLevel.Warning, "{Part} was not stopped within {Seconds} s: leaving; it recovers at the next start")]
    public static partial void StopTimedOut(this ILogger logger, string part, double seconds);

    [LoggerMessage(9002, LogLevel.Warning, "{Part} did not stop clean: {Reason}")]
    public static partial void StopFailed(this ILogger logger, string part, string reason);
}
