using LogPipeline.Agent;
using LogPipeline.Agent.Status;
using LogPipeline.Hosting.Parts;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>The agent in this process.</summary>
internal sealed class AgentPart(AgentOptions options, AgentStatus status, ILoggerFactory loggers) : IPart
{
    private readonly CancellationTokenSource _stop = new();

    public string Name => "agent";

    public string? Problem => status.Problem;

    public Task Running { get; private set; } = Task.CompletedTask;

    public async Task<string> StartAsync(CancellationToken stop)
    {
        var ready = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        Running = AgentHost.RunAsync(options, loggers.CreateLogger("LogPipeline.Agent"), files => ready.TrySetResult(files), status, _stop.Token);
        await Task.WhenAny(ready.Task, Running).WaitAsync(stop);
        if (!ready.Task.IsCompleted)
        {
            await Running;
        }
        int files = await ready.Task;
        return $"agent, {files} file{(files == 1 ? "" : "s")}";
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
}
