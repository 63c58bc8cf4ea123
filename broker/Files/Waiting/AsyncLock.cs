namespace LogPipeline.Files.Waiting;

/// <summary>A lock that is awaited: one holder at a time, in the order of asking. <c>_gate</c> guards both fields.</summary>
public sealed class AsyncLock
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private bool _isHeld;

    /// <summary>Completes when the caller holds the lock; <see cref="Release"/> passes it on.</summary>
    public async ValueTask TakeAsync()
    {
        TaskCompletionSource turn;
        lock (_gate)
        {
            if (!_isHeld)
            {
                _isHeld = true;
                return;
            }
            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }
        await turn.Task;
    }

    /// <summary>Hands the lock to the caller that has waited longest, or frees it.</summary>
    public void Release()
    {
        lock (_gate)
        {
            if (_waiting.TryDequeue(out TaskCompletionSource? next))
            {
                next.SetResult();
            }
            else
            {
                _isHeld = false;
            }
        }
    }
}
