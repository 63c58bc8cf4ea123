namespace LogPipeline.Files.Waiting;

/// <summary>
/// Waits that a token can end. <c>Task.WaitAsync</c> may resume through the thread pool when the task comes from an asynchronous
/// completion source; these resume on the caller's synchronization context alone, as a simulated process must.
/// </summary>
public static class CancellableTask
{
    /// <summary>Completes as the task does, or as cancelled when the token is cancelled first; the task itself goes on either way.</summary>
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

    /// <summary>The same for a task without a result.</summary>
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
