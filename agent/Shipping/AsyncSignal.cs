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
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiter = waiter;
            await using CancellationTokenRegistration ended = cancellation.Register(() => waiter.TrySetCanceled(cancellation));
            await waiter.Task;
        }
        _set = false;
    }

    /// <summary>The same, or until the time is over.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        if (_set)
        {
            _set = false;
            return;
        }
        await using ITimer timer = time.CreateTimer(static signal => ((AsyncSignal)signal!).Set(), this, atMost, Timeout.InfiniteTimeSpan);
        await WaitAsync(cancellation);
    }
}
