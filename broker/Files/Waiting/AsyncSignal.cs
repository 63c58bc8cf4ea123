namespace LogPipeline.Files.Waiting;

/// <summary>
/// Wakes one waiting loop. A set that finds no waiter is remembered, so a waiter never misses it. One waiter at a time;
/// any thread may set. <c>_gate</c> guards both fields.
/// </summary>
public sealed class AsyncSignal
{
    private readonly Lock _gate = new();
    private bool _isSet;
    private TaskCompletionSource? _waiter;

    /// <summary>Releases the waiter, or lets the next wait return at once.</summary>
    public void Set()
    {
        lock (_gate)
        {
            TaskCompletionSource? waiter = _waiter;
            _waiter = null;
            // A waiter that was cancelled or timed out leaves the signal set for the next one.
            _isSet = waiter is null || !waiter.TrySetResult();
        }
    }

    /// <summary>Returns at the next set, or at once when there was one that released nobody.</summary>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (Enter() is { } waiter)
        {
            await ReleasedAsync(waiter, cancellation);
        }
    }

    /// <summary>The same, but returns at the latest when <paramref name="atMost"/> has passed.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(time);
        cancellation.ThrowIfCancellationRequested();
        if (Enter() is { } waiter)
        {
            // Timers run on any thread: this one ends the wait and touches nothing else.
            using ITimer timer = time.CreateTimer(static w => ((TaskCompletionSource)w!).TrySetResult(), waiter, atMost, Timeout.InfiniteTimeSpan);
            await ReleasedAsync(waiter, cancellation);
        }
    }

    /// <summary>Takes a remembered set and returns null, or returns what the next set completes.</summary>
    private TaskCompletionSource? Enter()
    {
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return null;
            }
            // Continuations run elsewhere: a set under this lock, or under the caller's, must not run the waiter's code.
            return _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    // The registration is disposed synchronously: DisposeAsync may resume on the thread pool, which a simulated process does not have.
    private static async Task ReleasedAsync(TaskCompletionSource waiter, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
            static (w, token) => ((TaskCompletionSource)w!).TrySetCanceled(token), waiter);
        await waiter.Task;
    }
}
