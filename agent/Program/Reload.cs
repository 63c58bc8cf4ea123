using LogPipeline.Agent;
using LogPipeline.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LogPipeline.AgentProgram;

/// <summary>Reads the configuration anew when it is asked to, and ends the run so that the next one has it. The lock guards both fields.</summary>
internal sealed partial class Reload(Func<AgentOptions> load, ILogger logger)
{
    private readonly Lock _lock = new();
    private AgentOptions? _next;
    private CancellationTokenSource? _run;

    /// <summary>Begins a run, which ends when a new configuration is there or <paramref name="stop"/> is cancelled.</summary>
    public CancellationTokenSource Begin(CancellationToken stop)
    {
        lock (_lock)
        {
            _run = CancellationTokenSource.CreateLinkedTokenSource(stop);
            if (_next is not null)
            {
                _run.Cancel(); // asked for between two runs
            }
            return _run;
        }
    }

    /// <summary>A run is over: returns the configuration that it ended for, null when it was told to stop.</summary>
    public AgentOptions? TakeNext()
    {
        lock (_lock)
        {
            (AgentOptions? next, _next, _run) = (_next, null, null);
            return next;
        }
    }

    /// <summary>A configuration that is wrong changes nothing.</summary>
    public void Ask()
    {
        try
        {
            AgentOptions options = load();
            AgentHost.Check(options);
            lock (_lock)
            {
                _next = options;
                _run?.Cancel();
            }
            Reloaded(logger);
        }
        catch (Exception wrong) when (wrong is ConfigurationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            Refused(logger, wrong.Message);
        }
    }

    [LoggerMessage(2100, LogLevel.Information, "SIGHUP: the configuration is read anew and applied")]
    private static partial void Reloaded(ILogger logger);

    [LoggerMessage(2101, LogLevel.Error, "SIGHUP: the configuration is refused, the old one goes on: {Reason}")]
    private static partial void Refused(ILogger logger, string reason);
}
