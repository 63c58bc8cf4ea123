namespace LogPipeline.Agent.Machine;

/// <summary>
/// The machine's clock, whose timers a single thread runs between its other work: an idle agent then wakes one thread for a timer, where the
/// runtime's own timers wake three. Timers may be made, changed and let go of by any thread; <c>_gate</c> guards all of them.
/// </summary>
/// <param name="wake">Called when the next timer is due sooner than the thread was told.</param>
internal sealed class SerialTime(Action wake) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly SortedSet<Timer> _pending = new(Comparer<Timer>.Create(static (a, b) => (a.Due, a.Number).CompareTo((b.Due, b.Number))));
    private long _next = long.MaxValue; // when the first is due, read without the lock
    private long _timers;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state, Interlocked.Increment(ref _timers));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Milliseconds until the next timer is due, rounded up; 0 when one is, and <see cref="Timeout.Infinite"/> when there is none.</summary>
    public int RestMilliseconds
    {
        get
        {
            long next = Volatile.Read(ref _next);
            return next == long.MaxValue
                ? Timeout.Infinite : (int)Math.Clamp(Math.Ceiling(GetElapsedTime(GetTimestamp(), next).TotalMilliseconds), 0, int.MaxValue);
        }
    }

    /// <summary>Runs what is due; on the thread.</summary>
    public void RunDue()
    {
        while (GetTimestamp() is long now && now >= Volatile.Read(ref _next) && TakeDue(now) is Timer due)
        {
            due.Run();
        }
    }

    private Timer? TakeDue(long now)
    {
        lock (_gate)
        {
            if (_pending.Min is not Timer timer || timer.Due > now)
            {
                return null;
            }
            _pending.Remove(timer);
            if (timer.Period > 0)
            {
                timer.Due = now + timer.Period;
                _pending.Add(timer);
            }
            NoteNext();
            return timer;
        }
    }

    /// <summary>Under the lock; true when the first is due sooner than before.</summary>
    private bool NoteNext()
    {
        long before = _next;
        Volatile.Write(ref _next, _pending.Min?.Due ?? long.MaxValue);
        return _next < before;
    }

    private long TicksOf(TimeSpan span) => (long)(span.TotalSeconds * TimestampFrequency);

    private sealed class Timer(SerialTime time, TimerCallback callback, object? state, long number) : ITimer
    {
        private bool _isOver;

        public long Number => number;

        public long Due { get; set; }

        /// <summary>Ticks of the timestamp; 0 = it runs once.</summary>
        public long Period { get; private set; }

        public void Run() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            bool isSooner;
            lock (time._gate)
            {
                if (_isOver)
                {
                    return false;
                }
                time._pending.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = time.GetTimestamp() + time.TicksOf(dueTime);
                    Period = period == Timeout.InfiniteTimeSpan ? 0 : time.TicksOf(period);
                    time._pending.Add(this);
                }
                isSooner = time.NoteNext();
            }
            if (isSooner)
            {
                time.Wake();
            }
            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                _isOver = true;
                time._pending.Remove(this);
                time.NoteNext();
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }

    private void Wake() => wake();
}
