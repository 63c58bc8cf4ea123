namespace LogPipeline.Client.Producing;

/// <summary>Bytes that may be in use at once; who finds none left waits in line. <c>_gate</c> guards the count and the line.</summary>
internal sealed class ByteBudget(long total)
{
    private readonly long _total = total;
    private readonly Lock _gate = new();
    private readonly LinkedList<(long Bytes, TaskCompletionSource Granted)> _line = [];
    private long _free = total;

    /// <summary>Whether somebody waits: batches should not linger then.</summary>
    public bool IsShort
    {
        get
        {
            lock (_gate)
            {
                return _line.Count > 0;
            }
        }
    }

    public bool TryTake(long bytes)
    {
        lock (_gate)
        {
            if (_line.Count > 0 || !Fits(bytes))
            {
                return false;
            }
            _free -= bytes;
            return true;
        }
    }

    /// <summary>Takes the bytes when they are free and it is our turn; nothing is taken when cancelled.</summary>
    public async ValueTask TakeAsync(long bytes, CancellationToken ct)
    {
        LinkedListNode<(long Bytes, TaskCompletionSource Granted)> place;
        lock (_gate)
        {
            if (_line.Count == 0 && Fits(bytes))
            {
                _free -= bytes;
                return;
            }
            place = _line.AddLast((bytes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }
        using CancellationTokenRegistration registration = ct.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), place.Value.Granted);
        await place.Value.Granted.Task;
    }

    public void Return(long bytes)
    {
        lock (_gate)
        {
            _free += bytes;
            while (_line.First is { } first && (first.Value.Granted.Task.IsCompleted || Fits(first.Value.Bytes)))
            {
                _line.RemoveFirst();
                if (first.Value.Granted.TrySetResult())
                {
                    _free -= first.Value.Bytes;
                }
            }
        }
    }

    /// <summary>One request larger than all there is passes alone.</summary>
    private bool Fits(long bytes) => bytes <= _free || _free == _total;
}
