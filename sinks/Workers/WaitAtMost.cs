using LogPipeline.Client;

namespace LogPipeline.Sinks.Workers;

/// <summary>A bounded wait. Not Task.WhenAny: that may pass through the thread pool, which a simulated process does not have.</summary>
internal static class WaitAtMost
{
    /// <summary>Returns when all tasks are done, the limit has passed or the token is cancelled.</summary>
    public static async Task AllAsync(IReadOnlyList<Task> tasks, TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            await EachAsync(tasks).OrCancelled(either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // They go on without the waiter.
        }
    }

    private static async Task EachAsync(IReadOnlyList<Task> tasks)
    {
        foreach (Task task in tasks)
        {
            await task;
        }
    }
}
