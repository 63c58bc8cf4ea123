using System.Collections.Concurrent;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// A synchronization context with one thread that runs one piece of work at a time: what makes all of the agent single-threaded.
/// The only thread that the agent's state is touched by. It runs its clock's timers (<see cref="SerialTime"/>) too, and without work it sleeps at once, without
/// spinning first: so an idle agent costs next to nothing.
/// </summary>
internal sealed class SerialContext : SynchronizationContext
{
    private readonly ConcurrentQueue<(SendOrPostCallback Work, object? State)> _queue = new();
    private readonly object _sleep = new();
    private readonly SerialTime _time;

    /// <summary>1 while the thread sleeps, or is about to: the poster that sets it back to 0 wakes it.</summary>
    private int _isAsleep;

    private SerialContext() => _time = new SerialTime(Wake);

    /// <summary>Runs work on a thread of its own until it ends; returns its outcome.</summary>
    /// <param name="work">The work; it is given the clock whose timers the thread runs.</param>
    public static Task RunAsync(Func<TimeProvider, Task> work)
    {
        var outcome = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var context = new SerialContext();
        var thread = new Thread(() => context.Run(work, outcome)) { Name = "agent", IsBackground = true };
        thread.Start();
        return outcome.Task;
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        _queue.Enqueue((d, state));
        Wake();
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("Work is posted to the agent's thread, never waited for.");

    public override SynchronizationContext CreateCopy() => this;

    private void Run(Func<TimeProvider, Task> work, TaskCompletionSource outcome)
    {
        SetSynchronizationContext(this);
        Task running = StartAsync(work, outcome);
        while (true)
        {
            _time.RunDue();
            if (_queue.TryDequeue(out (SendOrPostCallback Work, object? State) item))
            {
                item.Work(item.State);
            }
            else if (running.IsCompleted)
            {
                return;
            }
            else
            {
                Sleep();
            }
        }
    }

    /// <summary>The thread waits here and nowhere else, until there is work or a timer is due; completion of the work posts a last, empty item.</summary>
    private void Sleep()
    {
        Interlocked.Exchange(ref _isAsleep, 1);
        // What came before this fence is seen now; what comes after it wakes the thread.
        int rest = _time.RestMilliseconds;
        if (_queue.IsEmpty && rest != 0)
        {
            lock (_sleep)
            {
                while (Volatile.Read(ref _isAsleep) == 1 && Monitor.Wait(_sleep, rest))
                {
                    // Woken for nothing, unless the flag is down; a wait that has lasted long enough returns false.
                }
            }
        }
        Volatile.Write(ref _isAsleep, 0);
    }

    private void Wake()
    {
        // A full fence: either the thread sees what is new before it sleeps, or this sees that it sleeps.
        if (Interlocked.Exchange(ref _isAsleep, 0) == 1)
        {
            lock (_sleep)
            {
                Monitor.Pulse(_sleep);
            }
        }
    }

    private async Task StartAsync(Func<TimeProvider, Task> work, TaskCompletionSource outcome)
    {
        try
        {
            await work(_time);
            outcome.SetResult();
        }
        catch (Exception fault)
        {
            outcome.SetException(fault);
        }
        Post(static _ => { }, null);
    }
}
