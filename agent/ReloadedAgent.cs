using LogPipeline.Agent.Status;
using LogPipeline.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent;

/// <summary>
/// An agent on this machine that is run anew when its configuration is another: a signal asks for that, or the file has changed. A file is taken
/// when two looks, a second apart, find the same text in it: an editor may have written half of it at the first. Each look reads it, as its time and
/// length tell nothing where it lies behind a link that is switched, or is unpacked with a time of its own. The lock guards all fields.
/// </summary>
/// <param name="file">The configuration's file; null where there is only the environment.</param>
/// <param name="load">Reads the configuration anew.</param>
/// <param name="logger">Where lines about the agent go.</param>
public sealed partial class ReloadedAgent(string? file, Func<AgentOptions> load, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private AgentOptions? _next;
    private CancellationTokenSource? _run;
    private bool _looksAtFile;
    private string? _taken = TextOf(file);
    private string? _seen;

    /// <summary>Runs until cancelled, then stops clean; throws what made it stop otherwise.</summary>
    /// <param name="options">What it begins with.</param>
    /// <param name="ready">Called each time it serves, with the number of files followed.</param>
    /// <param name="status">Where others may ask the agent how it is while it runs.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(AgentOptions options, Action<int> ready, AgentStatus status, CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task watching = WatchAsync(ended.Token);
        try
        {
            AgentOptions? served = null;
            for (AgentOptions? next = options; next is not null; next = TakeNext())
            {
                AgentOptions begun = next;
                using CancellationTokenSource run = Begin(begun, stop);
                try
                {
                    await AgentHost.RunAsync(begun, logger, files => { served = begun; ready(files); }, status, run.Token);
                }
                catch (OperationCanceledException) when (run.IsCancellationRequested)
                {
                    // how a run that was told to stop may end
                }
                catch (Exception wrong) when (served is not null && !ReferenceEquals(served, begun))
                {
                    GoBackTo(served, wrong);
                }
                finally
                {
                    End();
                }
            }
        }
        finally
        {
            await ended.CancelAsync();
            await watching;
        }
    }

    /// <summary>A signal asks. A configuration that is wrong changes nothing.</summary>
    public void Reload()
    {
        lock (_lock)
        {
            _taken = TextOf(file);
            Take("SIGHUP");
        }
    }

    /// <summary>Begins a run, which ends when a new configuration is there or <paramref name="stop"/> is cancelled.</summary>
    private CancellationTokenSource Begin(AgentOptions options, CancellationToken stop)
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

    /// <summary>A run is over: nobody cancels it any more.</summary>
    private void End()
    {
        lock (_lock)
        {
            _run = null;
        }
    }

    /// <summary>Returns the configuration that the last run ended for, null when it was told to stop.</summary>
    private AgentOptions? TakeNext()
    {
        lock (_lock)
        {
            (AgentOptions? next, _next) = (_next, null);
            return next;
        }
    }

    /// <summary>What a configuration asks for may not be had, such as its state directory, which only the start finds out.</summary>
    private void GoBackTo(AgentOptions served, Exception wrong)
    {
        lock (_lock)
        {
            _next ??= served;
        }
        Refused(logger, "The agent does not start with it", wrong.Message);
    }

    /// <summary>Looks at the file until stopped. A text that was taken or refused is not taken again.</summary>
    private async Task WatchAsync(CancellationToken stop)
    {
        using var ticks = new PeriodicTimer(Interval, TimeProvider.System);
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
