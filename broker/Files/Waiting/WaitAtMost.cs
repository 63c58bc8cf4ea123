namespace LogPipeline.Files.Waiting;

/// <summary>A wait with a limit. <c>Task.WhenAny</c> may resume through the thread pool, which a simulated process does not have.</summary>
public static class WaitAtMost
{
    /// <summary>Returns when all tasks are done, the limit has passed or the token is cancelled.</summary>
    public static async Task AllAsync(IReadOnlyList<Task> tasks, TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            await EachAsync(tasks).OrCancelled(either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The tasks go on; only the wait is over.
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
