using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent;

/// <summary>Runs an agent on this machine: real files, sockets and clock, one thread of its own.</summary>
public static class AgentHost
{
    /// <summary>Runs until cancelled, then stops clean within five seconds; throws what made it stop otherwise.</summary>
    /// <param name="options">An empty host, machine id or boot id is filled in from this machine.</param>
    /// <param name="logger">Where lines about the agent go.</param>
    /// <param name="ready">Called once when it serves, with the number of files followed.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static Task RunAsync(AgentOptions options, ILogger logger, Action<int> ready, CancellationToken cancellation) =>
        throw new NotImplementedException();
}
