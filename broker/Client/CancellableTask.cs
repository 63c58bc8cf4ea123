namespace LogPipeline.Client;

/// <summary>
/// Waiting that a token can end. Unlike <c>Task.WaitAsync</c>, which passes through the thread pool when the task comes from an
/// asynchronous completion source, it resumes on the caller's synchronization context alone, as a simulated process must.
/// </summary>
public static class CancellableTask
{
    /// <summary>The task's outcome, or the token's cancellation when that comes first; the task goes on either way.</summary>
    public static Task<T> OrCancelled<T>(this Task<T> task, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (task.IsCompleted || !cancellation.CanBeCanceled)
        {
            return task;
        }
        var either = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Forward(task, either, cancellation);
        return either.Task;
    }

    /// <summary>The same without a result.</summary>
    public static Task OrCancelled(this Task task, CancellationToken cancellation) => AsResult(task).OrCancelled(cancellation);

    private static async Task<bool> AsResult(Task task)
    {
        await task;
        return true;
    }

    private static async void Forward<T>(Task<T> task, TaskCompletionSource<T> either, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource<T>)state!).TrySetCanceled(token), either);
        try
        {
            either.TrySetResult(await task);
        }
        catch (Exception error)
        {
            either.TrySetException(error);
        }
    }
}
