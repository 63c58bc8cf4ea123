namespace LogPipeline.Testing.Time;

/// <summary>
/// Runs a test on one thread, under a clock that stands still while there is anything to do and then moves to the next timer. So
/// waiting costs no time, and what happens, happens in the same order every time. What is posted from another thread fails the test.
/// </summary>
public sealed class OneThread : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Work, object? State)> _ready = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private string? _leak;

    /// <exception cref="InvalidOperationException">The test waits for something that will never happen, or left the thread.</exception>
    public static void Run(ManualTime time, Func<Task> test)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(test);
        SynchronizationContext? outside = Current;
        var context = new OneThread();
        SetSynchronizationContext(context);
        try
        {
            context.RunToEnd(time, test());
        }
        finally
        {
            SetSynchronizationContext(outside);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            _leak ??= $"work was posted from another thread:\n{Environment.StackTrace}";
            return;
        }
        _ready.Enqueue((d, state));
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("nothing blocks on its own thread");

    public override SynchronizationContext CreateCopy() => this;

    private void RunToEnd(ManualTime time, Task test)
    {
        while (!test.IsCompleted && _leak is null)
        {
            if (_ready.TryDequeue(out (SendOrPostCallback Work, object? State) next))
            {
                next.Work(next.State);
            }
            else if (!time.AdvanceToNextTimer())
            {
                throw new InvalidOperationException("the test waits, and there is nothing left that could happen");
            }
        }
        if (_leak is not null)
        {
            throw new InvalidOperationException(_leak);
        }
        // Throws what ended the test, a cancellation too.
        test.GetAwaiter().GetResult();
    }
}
