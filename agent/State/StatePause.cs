using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.State;

/// <summary>
/// What a full or failing disk means for the agent's own files: say so once, wait, write the same again, say when it worked.
/// Any other fault stops the agent.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it is told.</param>
/// <param name="onFatal">Called with a fault that stops the agent.</param>
/// <param name="stopped">Ends the waiting.</param>
/// <param name="source">Whose spool alone is written; null = the agent's state.</param>
internal sealed class StatePause(TimeProvider time, ILogger logger, Action<Exception> onFatal, CancellationToken stopped, string? source = null)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private int _waiting;

    /// <summary>Whether the disk refuses now. Where it is the agent's state that it refuses, nothing is read or sent.</summary>
    public bool IsPaused => _waiting > 0;

    /// <summary>What the disk said last; empty while it takes all.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Called when the disk begins to refuse.</summary>
    public Action? Paused { get; set; }

    /// <summary>Called when the disk takes all again.</summary>
    public Action? Resumed { get; set; }

    public void Fatal(Exception fault) => onFatal(fault);

    public async Task UntilDoneAsync(Func<Task> write)
    {
        bool paused = false;
        while (true)
        {
            try
            {
                await write();
                if (paused)
                {
                    _waiting--;
                    TellResumed();
                    if (!IsPaused)
                    {
                        Reason = "";
                        Resumed?.Invoke();
                    }
                }
                return;
            }
            catch (IOException refused)
            {
                Reason = refused.Message;
                if (!paused)
                {
                    paused = true;
                    _waiting++;
                    TellPaused(refused.Message);
                    Paused?.Invoke();
                }
                await Task.Delay(Interval, time, stopped);
            }
        }
    }

    private void TellPaused(string reason)
    {
        if (source is null)
        {
            logger.StatePaused(reason);
        }
        else
        {
            logger.SpoolPaused(source, reason);
        }
    }

    private void TellResumed()
    {
        if (source is null)
        {
            logger.StateResumed();
        }
        else
        {
            logger.SpoolResumed(source);
        }
    }
}
