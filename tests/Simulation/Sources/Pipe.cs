using LogPipeline.Agent.Sources;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Workload;
using LogPipeline.Testing.Network;

namespace LogPipeline.Simulation.Sources;

/// <summary>
/// A stream of bytes into an agent, as its kernel keeps it: a pipe, which waits for the next agent to read it, or a connection, which breaks with its reader.
/// What a reader was given is taken once it reads on, or ends cleanly with a disk that took all. What died with a reader need not arrive, and what nobody read
/// is still the writer's.
/// </summary>
internal sealed class Pipe(Machine machine, bool breaksWithReader)
{
    private const int BytesMax = 8 << 10;

    private readonly Queue<(Line? Line, byte[] Bytes)> _written = new();
    private readonly List<Line> _given = [];
    private Life? _reader;
    private Spool? _spool;
    private TaskCompletionSource<int>? _waiting;
    private Memory<byte> _target;
    private int _givenOfFirst;
    private int _bytes;
    private int _boot = machine.BootCount;
    private bool _isHungUp;
    private bool _isTorn;

    /// <summary>Whether nothing waits to be read.</summary>
    public bool IsEmpty => _bytes == 0;

    /// <summary>Whether a writer would not have to wait.</summary>
    public bool HasRoom => _bytes < BytesMax && !_isHungUp && (_reader is not null || !breaksWithReader);

    /// <summary>Writes a line, or with a null one bytes that are no whole line.</summary>
    public void Write(Line? line, byte[] bytes)
    {
        ForgetWhenPowerFailed();
        _written.Enqueue((line, bytes));
        _bytes += bytes.Length;
        Serve();
    }

    /// <summary>The writer leaves; what it wrote is read first.</summary>
    public void HangUp()
    {
        _isHungUp = true;
        Serve();
    }

    /// <summary>The reading end, for a life and what it takes.</summary>
    public Stream Open(Life life, Spool spool)
    {
        life.Enter("open");
        ForgetWhenPowerFailed();
        if (_reader != life)
        {
            (_reader, _spool) = (life, spool);
            life.AtDeath(Left);
        }
        _isHungUp = false;
        return new Reader(this, life);
    }

    /// <summary>The reader ends cleanly.</summary>
    public void Stopped()
    {
        if (_spool?.UndurableBytes == 0)
        {
            Take();
        }
    }

    private void Left()
    {
        (_reader, _waiting) = (null, null);
        _given.Clear();
        _isTorn = _givenOfFirst > 0; // the begin of the next line went with the reader
        if (breaksWithReader)
        {
            Clear();
        }
    }

    private void ForgetWhenPowerFailed()
    {
        if (_boot != machine.BootCount)
        {
            _boot = machine.BootCount;
            Clear();
        }
    }

    private void Clear()
    {
        _written.Clear();
        (_bytes, _givenOfFirst, _isHungUp, _isTorn) = (0, 0, false, false);
    }

    private void Take()
    {
        _given.ForEach(static line => line.Least = 1);
        _given.Clear();
    }

    private Task<int> ReadAsync(Life life, Memory<byte> target, CancellationToken cancelled)
    {
        bool isLast = life.Enter("read");
        Take();
        if (isLast)
        {
            life.CutAfter("read");
        }
        var waiting = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        (_target, _waiting) = (target, waiting);
        Serve();
        cancelled.UnsafeRegister(_ =>
        {
            // What is given by now is read.
            if (waiting.TrySetCanceled(cancelled))
            {
                _waiting = null;
            }
        }, null);
        return waiting.Task;
    }

    private void Serve()
    {
        if (_reader is { } life && _waiting is not null && (_bytes > 0 || _isHungUp))
        {
            machine.World.After(machine.World.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(2)), life, Give);
        }
    }

    private void Give()
    {
        if (_waiting is not { } waiting || (_bytes == 0 && !_isHungUp))
        {
            return;
        }
        _waiting = null;
        if (_bytes > 0)
        {
            waiting.SetResult(Give(_target.Span));
        }
        else if (machine.World.Chance(0.5))
        {
            waiting.SetException(new IOException("connection reset by peer"));
        }
        else
        {
            waiting.SetResult(0);
        }
    }

    private int Give(Span<byte> target)
    {
        int most = Math.Min(target.Length, machine.World.Random.Next(1, _bytes + 1));
        int given = 0;
        while (given < most)
        {
            (Line? line, byte[] bytes) = _written.Peek();
            int count = Math.Min(most - given, bytes.Length - _givenOfFirst);
            bytes.AsSpan(_givenOfFirst, count).CopyTo(target[given..]);
            given += count;
            _givenOfFirst += count;
            if (_givenOfFirst == bytes.Length)
            {
                _written.Dequeue();
                _given.AddRange(line is null || _isTorn ? [] : [line]);
                (_givenOfFirst, _isTorn) = (0, false);
            }
        }
        _bytes -= given;
        return given;
    }

    private sealed class Reader(Pipe pipe, Life life) : ConnectionStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(pipe.ReadAsync(life, buffer, cancellationToken));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new NotSupportedException("the agent reads only");
    }
}
