using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Network;

/// <summary>
/// One direction of a connection: bytes in transit, bytes arrived, at most one reader and any number of writers that wait for
/// room. Transit is first in, first out. Waiters are completed by events without a synchronization context.
/// </summary>
internal sealed class Flow(SimNetwork network, Life writer, Life reader)
{
    private const int Window = 256 * 1024;

    private readonly Queue<ReadOnlyMemory<byte>> _arrived = new();
    private readonly List<TaskCompletionSource> _waitingForRoom = [];
    private TaskCompletionSource<int>? _waiting;
    private CancellationTokenRegistration _cancelling;
    private Memory<byte> _target;
    private TimeSpan _lastArrival;
    private int _unread;
    private bool _ended;
    private Exception? _broken;

    public void Send(ReadOnlyMemory<byte> bytes)
    {
        NetworkFaults faults = network.Faults;
        World world = network.World;
        TimeSpan transit = world.Between(TimeSpan.FromMicroseconds(20), faults.LatencyMax);
        if (world.Chance(faults.Hold))
        {
            transit += world.Between(TimeSpan.Zero, faults.HoldMax);
            world.Trace.Say(writer.Part, $"its {bytes.Length} bytes are held back {transit.TotalSeconds:F1} s");
        }
        byte[] copy = bytes.ToArray();
        _unread += copy.Length;
        int cut = copy.Length > 1 && world.Chance(faults.Split) ? world.Random.Next(1, copy.Length) : copy.Length;
        Deliver(copy.AsMemory(0, cut), transit);
        if (cut < copy.Length)
        {
            Deliver(copy.AsMemory(cut), transit + world.Between(TimeSpan.Zero, faults.LatencyMax));
        }
    }

    /// <summary>Waits until the reader keeps up.</summary>
    public Task RoomAsync()
    {
        if (_unread <= Window || _broken is not null)
        {
            return Task.CompletedTask;
        }
        var room = new TaskCompletionSource();
        _waitingForRoom.Add(room);
        return room.Task;
    }

    public void ThrowIfBroken()
    {
        if (_broken is not null)
        {
            throw new IOException(_broken.Message);
        }
    }

    public Task<int> ReadAsync(Memory<byte> target, CancellationToken cancellation)
    {
        if (_arrived.Count > 0 && _waiting is null)
        {
            return Task.FromResult(Take(target));
        }
        if (_broken is not null)
        {
            return Task.FromException<int>(new IOException(_broken.Message));
        }
        if (_ended)
        {
            return Task.FromResult(0);
        }
        if (_waiting is not null)
        {
            throw new InvalidOperationException("two readers on one connection");
        }
        var waiting = new TaskCompletionSource<int>();
        _waiting = waiting;
        _target = target;
        if (cancellation.CanBeCanceled)
        {
            _cancelling = cancellation.UnsafeRegister(_ => network.World.After(TimeSpan.Zero, reader, () => Cancel(waiting, cancellation)), null);
        }
        return waiting.Task;
    }

    /// <summary>The writer closed: the reader sees the end after what is in transit.</summary>
    public void End(TimeSpan delay) => Arrive(delay, () =>
    {
        _ended = true;
        Wake();
    });

    /// <summary>The connection is reset at the reader's side; what has not arrived by then never does.</summary>
    public void Break(string why, TimeSpan delay, bool dropUnread) => network.World.After(delay, () =>
    {
        if (_broken is not null)
        {
            return;
        }
        _broken = new IOException(why);
        if (dropUnread)
        {
            _arrived.Clear();
        }
        if (reader.IsAlive)
        {
            Wake();
        }
        FreeWriters();
    });

    private void Deliver(ReadOnlyMemory<byte> bytes, TimeSpan transit) => Arrive(transit, () =>
    {
        if (_broken is null && reader.IsAlive)
        {
            _arrived.Enqueue(bytes);
            Wake();
        }
    });

    // Events of one instant may run in any order: arrivals of a flow are kept a tick apart.
    private void Arrive(TimeSpan delay, Action action)
    {
        TimeSpan now = network.World.Now;
        TimeSpan at = now + delay;
        if (at <= _lastArrival)
        {
            at = _lastArrival + TimeSpan.FromTicks(1);
        }
        _lastArrival = at;
        network.World.After(at - now, action);
    }

    private int Take(Memory<byte> target)
    {
        ReadOnlyMemory<byte> first = _arrived.Dequeue();
        int count = Math.Min(target.Length, first.Length);
        first[..count].CopyTo(target);
        _unread -= count;
        if (count < first.Length)
        {
            // Put the rest back in front.
            int others = _arrived.Count;
            _arrived.Enqueue(first[count..]);
            for (int i = 0; i < others; i++)
            {
                _arrived.Enqueue(_arrived.Dequeue());
            }
        }
        if (_unread <= Window && _waitingForRoom.Count > 0)
        {
            network.World.After(TimeSpan.Zero, FreeWriters);
        }
        return count;
    }

    private void Wake()
    {
        if (_waiting is not { } waiting)
        {
            return;
        }
        if (_arrived.Count > 0)
        {
            Unwait();
            waiting.TrySetResult(Take(_target));
        }
        else if (_broken is not null)
        {
            Unwait();
            waiting.TrySetException(new IOException(_broken.Message));
        }
        else if (_ended)
        {
            Unwait();
            waiting.TrySetResult(0);
        }
    }

    // A life's token outlives its reads by far: what hangs on it must not pile up.
    private void Unwait()
    {
        _waiting = null;
        _cancelling.Dispose();
        _cancelling = default;
    }

    private void Cancel(TaskCompletionSource<int> waiting, CancellationToken cancellation)
    {
        if (_waiting == waiting)
        {
            _waiting = null;
        }
        waiting.TrySetCanceled(cancellation);
    }

    private void FreeWriters()
    {
        List<TaskCompletionSource> free = [.. _waitingForRoom];
        _waitingForRoom.Clear();
        foreach (TaskCompletionSource room in free)
        {
            if (writer.IsAlive)
            {
                room.TrySetResult();
            }
        }
    }
}
