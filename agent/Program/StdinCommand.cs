using LogPipeline.Agent;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.Status;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.AgentProgram;

/// <summary>
/// <c>app | logpipe-agent --stdin --topic app</c>: publishes the standard input line by line, and ends when it has ended and all of it is acked.
/// Lines count as taken once they are durable in the state directory; after a crash the next run on it sends what is left there.
/// </summary>
internal static class StdinCommand
{
    public static async Task<int> RunAsync(AgentArguments arguments, AgentOptions configured)
    {
        AgentOptions options = configured with
        {
            Bootstrap = arguments.Bootstrap?.Split(',') ?? (configured.Bootstrap.Count > 0 ? configured.Bootstrap : ["127.0.0.1:9092"]),
            StateDirectory = Path.GetFullPath(arguments.State ?? DefaultState(arguments.Topic!)),
            Inputs = [new InputOptions { Source = new StdinSourceOptions { Encoding = arguments.Encoding }, Topic = arguments.Topic! }],
            StatusTopic = null,
        };
        using ILoggerFactory loggers = ConsoleLogging.Create(arguments.LogLevel);
        using var signals = new StopSignals();
        try
        {
            await AgentHost.RunAsync(options, loggers.CreateLogger("LogPipeline.Agent"), static _ => { }, new AgentStatus(), signals.Token);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            // how a run that was told to stop may end
        }
        return 0;
    }

    /// <summary>A directory for each topic, so that what a crash left is sent by the next run.</summary>
    private static string DefaultState(string topic)
    {
        string? home = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        string root = string.IsNullOrEmpty(home) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state") : home;
        return Path.Combine(root, "logpipe-agent", $"stdin-{topic}");
    }
}
