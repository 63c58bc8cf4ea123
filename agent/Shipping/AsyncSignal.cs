namespace LogPipeline.Agent.Shipping;

/// <summary>Wakes one waiting loop; a set while nobody waits is kept. Used on the agent's context only.</summary>
internal sealed class AsyncSignal
{
    private TaskCompletionSource? _waiter;
    private bool _set;

    public void Set()
    {
        _set = true;
        TaskCompletionSource? waiter = _waiter;
        _waiter = null;
        waiter?.TrySetResult();
    }

    public async Task WaitAsync(CancellationToken cancellation)
    {
        if (!_set)
        {
            await ResumedAsync(NewWaiter(), cancellation);
        }
        _set = false;
    }

    /// <summary>The same, or until the time is over.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        if (!_set)
        {
            // Timers run on any thread: this one ends the wait and touches nothing else.
            TaskCompletionSource waiter = NewWaiter();
            using ITimer timer = time.CreateTimer(static w => ((TaskCompletionSource)w!).TrySetResult(), waiter, atMost, Timeout.InfiniteTimeSpan);
            await ResumedAsync(waiter, cancellation);
        }
        _set = false;
    }

    private TaskCompletionSource NewWaiter() => _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    // Disposed synchronously: the asynchronous way may wait for the callback on the thread pool.
    private static async Task ResumedAsync(TaskCompletionSource waiter, CancellationToken cancellation)
    {
        using CancellationTokenRegistration ended = cancellation.UnsafeRegister(
            static (w, token) => ((TaskCompletionSource)w!).TrySetCanceled(token), waiter);
        await waiter.Task;
    }
}
