using LogPipeline.Agent;
using LogPipeline.Agent.Status;
using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Parts;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>The agent in this process. It takes a changed configuration by itself; what else runs here keeps its own until a restart.</summary>
internal sealed partial class AgentPart : IPart
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ReloadableAgent _configuration;
    private readonly AgentStatus _status;
    private readonly ReloadedAgent _agent;

    public AgentPart(ReloadableAgent configuration, bool keepsOthers, AgentStatus status, ILoggerFactory loggers)
    {
        (_configuration, _status) = (configuration, status);
        ILogger logger = loggers.CreateLogger("LogPipeline.Agent");
        _agent = new ReloadedAgent(configuration.File, Load, logger);

        AgentOptions Load()
        {
            AgentOptions options = configuration.Reload();
            if (keepsOthers)
            {
                OthersKept(logger);
            }
            return options;
        }
    }

    public string Name => "agent";

    public string? Problem => _status.Problem;

    public Task Running { get; private set; } = Task.CompletedTask;

    public void Reload() => _agent.Reload();

    public async Task<string> StartAsync(CancellationToken stop)
    {
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Ready(int files)
        {
            string line = $"agent, {files} file{(files == 1 ? "" : "s")}";
            if (!ready.TrySetResult(line))
            {
                Console.WriteLine($"ready: {line}"); // with another configuration
            }
        }
        Running = _agent.RunAsync(_configuration.Options, Ready, _status, _stop.Token);
        await Task.WhenAny(ready.Task, Running).WaitAsync(stop);
        if (!ready.Task.IsCompleted)
        {
            await Running;
        }
        return await ready.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await Running;
        }
        catch (OperationCanceledException)
        {
            // how a run that was told to stop may end
        }
        _stop.Dispose();
    }

    [LoggerMessage(9200, LogLevel.Information, "Of a changed configuration the agent's part is applied; broker, sinks, admin and telemetry keep theirs until a restart")]
    private static partial void OthersKept(ILogger logger);
}
