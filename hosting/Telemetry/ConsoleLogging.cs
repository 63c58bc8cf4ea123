using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>Diagnostics for people, one line each on standard error: <c>08:30:00.123 warn agent: …</c>. Standard output stays for results.</summary>
public static class ConsoleLogging
{
    public static ILoggerFactory Create(LogLevel least) => LoggerFactory.Create(logging =>
    {
        logging
            .SetMinimumLevel(least)
            // The message bus logs its wiring and each try of a consumer; the consumers log what it carries and what it could not deliver.
            .AddFilter("MassTransit", least <= LogLevel.Debug ? least : LogLevel.Critical)
            .AddConsole(console =>
            {
                console.FormatterName = LineFormatter.FormatterName;
                console.LogToStandardErrorThreshold = LogLevel.Trace;
            });
        // AddConsoleFormatter would bind options by reflection, which trimming and native compilation do not allow.
        logging.Services.AddSingleton<ConsoleFormatter, LineFormatter>();
    });

    private sealed class LineFormatter() : ConsoleFormatter(FormatterName)
    {
        public const string FormatterName = "line";

        public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes, TextWriter to)
        {
            to.Write(TimeProvider.System.GetUtcNow().ToString("HH:mm:ss.fff "));
            to.Write(Word(entry.LogLevel));
            to.Write(' ');
            to.Write(Room(entry.Category));
            to.Write(": ");
            to.Write(ControlCharacters.Show(entry.Formatter(entry.State, entry.Exception).ReplaceLineEndings(" ")));
            // The stack trace is printed at debug level only, in lines of its own below.
            if (entry.Exception is { } e)
            {
                to.Write(entry.LogLevel <= LogLevel.Debug ? Environment.NewLine + e : $": {ControlCharacters.Show(e.Message.ReplaceLineEndings(" "))}");
            }
            to.Write(Environment.NewLine);
        }

        private static string Word(LogLevel level) => level switch
        {
            LogLevel.Trace => "trace",
            LogLevel.Debug => "debug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            LogLevel.Error => "error",
            _ => "fatal",
        };

        // LogPipeline.Agent.Shipping.LogShipper becomes "agent".
        private static string Room(string category)
            => category.StartsWith("LogPipeline.", StringComparison.Ordinal) ? category.Split('.')[1].ToLowerInvariant() : category;
    }
}
