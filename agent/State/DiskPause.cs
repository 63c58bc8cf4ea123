namespace LogPipeline.Agent.State;

/// <summary>
/// What a full or failing disk means for files of the agent's own: say so once, wait, write the same again, say when all is written.
/// Any other fault stops the agent. Owned by the agent's loop.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="onFatal">Called with a fault that stops the agent.</param>
/// <param name="stopped">Ends the waiting.</param>
internal sealed class DiskPause(TimeProvider time, Action<Exception> onFatal, CancellationToken stopped)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private int _waiting;

    /// <summary>Whether the disk refuses now.</summary>
    public bool IsPaused => _waiting > 0;

    /// <summary>What the disk said last; empty while it takes all.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Called with the reason when the disk begins to refuse.</summary>
    public Action<string>? Paused { get; init; }

    /// <summary>Called when the disk takes all again.</summary>
    public Action? Resumed { get; init; }

    public void Fatal(Exception fault) => onFatal(fault);

    /// <summary>Waits for as long as lies between two tries.</summary>
    public Task MomentAsync() => Task.Delay(Interval, time, stopped);

    /// <inheritdoc cref="UntilDoneAsync(Func{Task})"/>
    public Task UntilDoneAsync(Action write) => UntilDoneAsync(() =>
    {
        write();
        return Task.CompletedTask;
    });

    /// <summary>Writes, again and again while the disk refuses; ends when it is written.</summary>
    /// <param name="write">Writes the same to the same place each time.</param>
    public async Task UntilDoneAsync(Func<Task> write)
    {
        bool isWaiting = false;
        while (true)
        {
            try
            {
                await write();
                if (isWaiting && --_waiting == 0)
                {
                    Reason = "";
                    Resumed?.Invoke();
                }
                return;
            }
            catch (IOException refused)
            {
                Reason = refused.Message;
                if (!isWaiting)
                {
                    isWaiting = true;
                    if (++_waiting == 1)
                    {
                        Paused?.Invoke(refused.Message);
                    }
                }
                await MomentAsync();
            }
        }
    }
}
