using System.Threading.Channels;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// A synchronization context with one thread that runs one piece of work at a time: what makes all of the agent single-threaded.
/// The only thread that the agent's state is touched by.
/// </summary>
internal sealed class SerialContext : SynchronizationContext
{
    private readonly Channel<(SendOrPostCallback Work, object? State)> _queue =
        Channel.CreateUnbounded<(SendOrPostCallback Work, object? State)>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Runs work on a thread of its own until it ends; gives its outcome.</summary>
    public static Task RunAsync(Func<Task> work)
    {
        var outcome = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var context = new SerialContext();
        var thread = new Thread(() => context.Run(work, outcome)) { Name = "agent", IsBackground = true };
        thread.Start();
        return outcome.Task;
    }

    public override void Post(SendOrPostCallback d, object? state) => _queue.Writer.TryWrite((d, state));

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("Work is posted to the agent's thread, never waited for.");

    public override SynchronizationContext CreateCopy() => this;

    private void Run(Func<Task> work, TaskCompletionSource outcome)
    {
        SetSynchronizationContext(this);
        Task running = StartAsync(work, outcome);
        ChannelReader<(SendOrPostCallback Work, object? State)> reader = _queue.Reader;
        while (!running.IsCompleted)
        {
            while (reader.TryRead(out (SendOrPostCallback Work, object? State) item))
            {
                item.Work(item.State);
            }
            // This thread waits here and nowhere else; completion of the work posts a last, empty item.
            if (!running.IsCompleted && !reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                return;
            }
        }
    }

    private async Task StartAsync(Func<Task> work, TaskCompletionSource outcome)
    {
        try
        {
            await work();
            outcome.SetResult();
        }
        catch (Exception fault)
        {
            outcome.SetException(fault);
        }
        Post(static _ => { }, null);
    }
}
