namespace LogPipeline.Storage;

/// <summary>
/// Those who wait until an offset is reached. Its owner's lock guards it: the owner takes out who can be released under the lock and
/// releases them after leaving it, because what they go on with runs at once, on the releasing thread.
/// </summary>
public sealed class OffsetWaiters
{
    private readonly List<(long EndOffset, TaskCompletionSource Done)> _waiting = [];

    /// <summary>Waits until all below <paramref name="endOffset"/> (exclusive) is reached.</summary>
    public Task Add(long endOffset, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource();
        _waiting.Add((endOffset, done));
        return cancellation.CanBeCanceled ? UntilCancelledAsync(done, cancellation) : done.Task;
    }

    /// <summary>Takes out who waits for this offset or less; null when that is nobody.</summary>
    public List<TaskCompletionSource>? TakeReached(long offset) => Take(long.MinValue, offset);

    /// <summary>Takes out who waits for more than this offset; null when that is nobody.</summary>
    public List<TaskCompletionSource>? TakeBeyond(long offset) => Take(offset + 1, long.MaxValue);

    /// <summary>Takes out everyone; null when that is nobody.</summary>
    public List<TaskCompletionSource>? TakeAll() => Take(long.MinValue, long.MaxValue);

    private List<TaskCompletionSource>? Take(long first, long last)
    {
        if (_waiting.Count == 0)
        {
            return null;
        }
        List<TaskCompletionSource>? taken = null;
        int kept = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            if (_waiting[i].EndOffset >= first && _waiting[i].EndOffset <= last)
            {
                (taken ??= new(_waiting.Count)).Add(_waiting[i].Done);
            }
            else
            {
                _waiting[kept++] = _waiting[i];
            }
        }
        _waiting.RemoveRange(kept, _waiting.Count - kept);
        return taken;
    }

    /// <summary>Lets those taken out go on.</summary>
    public static void Release(List<TaskCompletionSource>? reached) => End(reached, reason: null);

    /// <summary>Tells those taken out why what they wait for will not come.</summary>
    public static void Fail(List<TaskCompletionSource>? unreached, Exception reason) => End(unreached, reason);

    // Outside any synchronization context: one that began to wait without a context would otherwise go on in the thread pool, which a
    // simulated process does not have.
    private static void End(List<TaskCompletionSource>? waiting, Exception? reason)
    {
        if (waiting is null)
        {
            return;
        }
        SynchronizationContext? here = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        foreach (TaskCompletionSource done in waiting)
        {
            if (reason is null)
            {
                done.TrySetResult();
            }
            else
            {
                done.TrySetException(reason);
            }
        }
        SynchronizationContext.SetSynchronizationContext(here);
    }

    // Not Task.WaitAsync: over such a source it passes through the thread pool, which a simulated process does not have.
    private static async Task UntilCancelledAsync(TaskCompletionSource done, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), done);
        await done.Task;
    }
}
