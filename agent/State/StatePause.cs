using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.State;

/// <summary>
/// What a full or failing disk means for the agent's own files: say so once, wait, write the same again, say when it worked.
/// Any other fault stops the agent.
/// </summary>
internal sealed class StatePause(TimeProvider time, ILogger logger, Action<Exception> onFatal, CancellationToken stopped)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private int _waiting;

    /// <summary>Whether the disk refuses now: nothing is read or sent.</summary>
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
                    logger.StateResumed();
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
                    logger.StatePaused(refused.Message);
                    Paused?.Invoke();
                }
                await Task.Delay(Interval, time, stopped);
            }
        }
    }
}
