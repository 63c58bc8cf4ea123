namespace LogPipeline.Sinks;

/// <summary>One holder at a time, first come first served. The lock guards both fields.</summary>
internal sealed class Turns
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private bool _taken;

    /// <summary>Done when nobody else holds the turn; <see cref="End"/> passes it on.</summary>
    public async ValueTask TakeAsync()
    {
        TaskCompletionSource turn;
        lock (_gate)
        {
            if (!_taken)
            {
                _taken = true;
                return;
            }
            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }
        await turn.Task;
    }

    public void End()
    {
        lock (_gate)
        {
            if (_waiting.TryDequeue(out TaskCompletionSource? next))
            {
                next.SetResult();
            }
            else
            {
                _taken = false;
            }
        }
    }
}
