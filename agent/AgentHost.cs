using LogPipeline.Agent.Machine;
using LogPipeline.Agent.Status;
using LogPipeline.Client.Connections;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent;

/// <summary>Runs an agent on this machine: real files, sockets and clock, one thread of its own.</summary>
public static class AgentHost
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(3);

    /// <summary>Runs until cancelled, then stops clean within five seconds; throws what made it stop otherwise.</summary>
    /// <param name="options">An empty host, machine id or boot id is filled in from this machine.</param>
    /// <param name="logger">Where lines about the agent go.</param>
    /// <param name="ready">Called once when it serves, with the number of files followed.</param>
    /// <param name="status">Where others may ask the agent how it is while it runs.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static Task RunAsync(AgentOptions options, ILogger logger, Action<int> ready, AgentStatus status, CancellationToken cancellation) =>
        SerialContext.RunAsync(time => ServeAsync(MachineFacts.Complete(options), time, logger, ready, status, cancellation));

    /// <exception cref="ArgumentException">The options cannot be.</exception>
    public static void Check(AgentOptions options) => MachineFacts.Complete(options).Validate();

    private static async Task ServeAsync(
        AgentOptions options, TimeProvider time, ILogger logger, Action<int> ready, AgentStatus status, CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration asked = cancellation.Register(() => ended.TrySetResult());
        using Inotify? watch = Inotify.TryCreate(logger);
        await using var agent = new AgentService(
            options, new OsFileSystem(), new TcpConnector(), time, new SystemRandom(), logger, fault => ended.TrySetException(fault), watch)
        {
            MakeSource = source => MachineSources.Create(source, options.MachineId, time, logger),
            SourcesSent = () => ended.TrySetResult(),
        };
        await agent.StartAsync(cancellation);
        status.Attach(SynchronizationContext.Current!, () => agent.Problems, agent.Report);
        try
        {
            ready(agent.FilesFollowed);
            await ended.Task;
        }
        finally
        {
            status.Detach();
        }
        await agent.StopAsync(StopGrace);
    }
}
