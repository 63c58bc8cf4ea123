using LogPipeline.Agent;
using LogPipeline.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LogPipeline.AgentProgram;

/// <summary>
/// Reads the configuration anew when a signal asks for it, or its file has changed, and ends the run so that the next one has it. A file is taken
/// when two looks, a second apart, find the same text in it: an editor may have written half of it at the first. The lock guards all fields.
/// </summary>
internal sealed partial class Reload(string? file, Func<AgentOptions> load, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private AgentOptions? _next;
    private CancellationTokenSource? _run;
    private bool _looksAtFile;
    private string? _taken = TextOf(file);
    private string? _seen;

    /// <summary>Begins a run, which ends when a new configuration is there or <paramref name="stop"/> is cancelled.</summary>
    public CancellationTokenSource Begin(AgentOptions options, CancellationToken stop)
    {
        lock (_lock)
        {
            _looksAtFile = options.ReloadsOnChange;
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

    /// <summary>A signal asks. A configuration that is wrong changes nothing.</summary>
    public void Ask()
    {
        lock (_lock)
        {
            _taken = TextOf(file);
            Take("SIGHUP");
        }
    }

    /// <summary>Looks at the file until stopped. A text that was taken or refused is not taken again.</summary>
    public async Task WatchAsync(CancellationToken stop)
    {
        using var ticks = new PeriodicTimer(Interval);
        try
        {
            while (await ticks.WaitForNextTickAsync(stop))
            {
                Look();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // how it ends
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            if (!_looksAtFile || TextOf(file) is not string text)
            {
                return;
            }
            if (text != _taken && text == _seen)
            {
                _taken = text;
                Take($"{file} has changed");
            }
            _seen = text;
        }
    }

    private void Take(string why)
    {
        try
        {
            AgentOptions options = load();
            AgentHost.Check(options);
            _next = options;
            _run?.Cancel();
            Reloaded(logger, why);
        }
        catch (Exception wrong) when (wrong is ConfigurationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            Refused(logger, why, wrong.Message);
        }
    }

    /// <summary>Null while it is not there or cannot be read: an editor may be replacing it.</summary>
    private static string? TextOf(string? file)
    {
        try
        {
            return file is null ? null : File.ReadAllText(file);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(2100, LogLevel.Information, "{Why}: the configuration is read anew and applied")]
    private static partial void Reloaded(ILogger logger, string why);

    [LoggerMessage(2101, LogLevel.Error, "{Why}: the configuration is refused, the old one goes on: {Reason}")]
    private static partial void Refused(ILogger logger, string why, string reason);
}
