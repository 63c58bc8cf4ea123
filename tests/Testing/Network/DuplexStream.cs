namespace LogPipeline.Testing.Network;

/// <summary>One end of a connection in memory. Disposing either end ends both. A reader goes on where its bytes are written.</summary>
public sealed class DuplexStream : ConnectionStream
{
    private readonly OneWay _in;
    private readonly OneWay _out;

    private DuplexStream(OneWay receive, OneWay send) => (_in, _out) = (receive, send);

    public static (DuplexStream Ours, DuplexStream Theirs) Pair()
    {
        var there = new OneWay();
        var back = new OneWay();
        return (new DuplexStream(back, there), new DuplexStream(there, back));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count;
        while ((count = _in.Take(buffer.Span, out Task more)) < 0)
        {
            await more.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _out.Give(buffer.ToArray());
        return default;
    }

    protected override void Dispose(bool disposing)
    {
        _in.End();
        _out.End();
        base.Dispose(disposing);
    }

    /// <summary>Bytes under way in one direction. The lock guards all of it.</summary>
    private sealed class OneWay
    {
        private readonly Lock _gate = new();
        private readonly Queue<ReadOnlyMemory<byte>> _others = new();
        private ReadOnlyMemory<byte> _first;
        private TaskCompletionSource _more = new();
        private bool _hasEnded;

        /// <summary>Bytes that are there; 0 at the end; -1 when there are none yet, and then what to wait for.</summary>
        public int Take(Span<byte> buffer, out Task more)
        {
            lock (_gate)
            {
                more = _more.Task;
                if (_first.IsEmpty && !_others.TryDequeue(out _first))
                {
                    return _hasEnded ? 0 : -1;
                }
                int count = Math.Min(buffer.Length, _first.Length);
                _first.Span[..count].CopyTo(buffer);
                _first = _first[count..];
                return count;
            }
        }

        public void Give(byte[] bytes)
        {
            lock (_gate)
            {
                if (_hasEnded)
                {
                    throw new IOException("the connection is closed");
                }
                _others.Enqueue(bytes);
            }
            Wake();
        }

        public void End()
        {
            lock (_gate)
            {
                _hasEnded = true;
            }
            Wake();
        }

        // Outside any context, so that a library's ConfigureAwait(false) goes on here and not on a thread of the pool.
        private void Wake()
        {
            TaskCompletionSource more;
            lock (_gate)
            {
                (more, _more) = (_more, new TaskCompletionSource());
            }
            SynchronizationContext? here = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(null);
            try
            {
                more.TrySetResult();
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(here);
            }
        }
    }
}
