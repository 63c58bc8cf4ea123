namespace LogPipeline.Client;

/// <summary>An event that lets one waiter through per set and remembers a set that found nobody. <c>_gate</c> guards both fields.</summary>
internal sealed class AsyncSignal
{
    private readonly Lock _gate = new();
    private bool _isSet;
    private TaskCompletionSource? _waiter;

    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            waiter = _waiter;
            _waiter = null;
            _isSet = waiter is null;
        }
        // A waiter that was cancelled meanwhile leaves the signal set for the next one.
        if (waiter is not null && !waiter.TrySetResult())
        {
            Set();
        }
    }

    /// <summary>Waits for the next set, or one that nobody took. One waiter at a time.</summary>
    public async Task WaitAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        TaskCompletionSource waiter;
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return;
            }
            _waiter = waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        using CancellationTokenRegistration registration = ct.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), waiter);
        await waiter.Task;
    }
}
