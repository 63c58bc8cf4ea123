namespace LogPipeline.Files.Waiting;

/// <summary>Bounds the bytes in use at once; callers that find too few wait in line, first come first served. <c>_gate</c> guards count and line.</summary>
public sealed class ByteBudget(long total)
{
    private readonly long _total = total;
    private readonly Lock _gate = new();
    private readonly LinkedList<(long Bytes, TaskCompletionSource Granted)> _line = [];
    private long _free = total;

    /// <summary>True while a caller waits: those who hold bytes should return them soon.</summary>
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

    /// <summary>Takes the bytes if they are free and nobody waits; returns whether it did.</summary>
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

    /// <summary>Completes when the bytes are taken, in the order of asking. A cancelled call takes nothing.</summary>
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

    /// <summary>Frees bytes and grants them to those who wait, as far as they go.</summary>
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

    /// <summary>A request for more than the whole budget is granted while nothing else is taken; otherwise it would wait forever.</summary>
    private bool Fits(long bytes) => bytes <= _free || _free == _total;
}
