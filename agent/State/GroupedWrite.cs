namespace LogPipeline.Agent.State;

/// <summary>
/// One write at a time for all callers: a call that comes while a write runs is served by the next one. A write that fails is the
/// last; its exception is thrown to all callers that wait and to all later ones.
/// </summary>
internal sealed class GroupedWrite(Func<Task> write, Action<Exception> onFatal)
{
    private List<TaskCompletionSource> _waiters = [];
    private Exception? _fault;
    private bool _running;

    /// <summary>Ends when a write that began after this call is done.</summary>
    public Task DoneAsync()
    {
        if (_fault is not null)
        {
            return Task.FromException(_fault);
        }
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiters.Add(waiter);
        if (!_running)
        {
            _running = true;
            _ = RunAsync();
        }
        return waiter.Task;
    }

    private async Task RunAsync()
    {
        List<TaskCompletionSource> served = [];
        try
        {
            while (_waiters.Count > 0)
            {
                (served, _waiters) = (_waiters, []);
                await write();
                served.ForEach(static waiter => waiter.SetResult());
                served = [];
            }
            _running = false;
        }
        catch (Exception fault)
        {
            _fault = fault;
            foreach (TaskCompletionSource waiter in served.Concat(_waiters))
            {
                waiter.SetException(fault);
            }
            onFatal(fault);
        }
    }
}
