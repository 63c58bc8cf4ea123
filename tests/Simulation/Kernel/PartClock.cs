namespace LogPipeline.Simulation.Kernel;

/// <summary>A part's clock: the wall clock has its machine's skew and jumps, the timestamp only ever rises.</summary>
internal sealed class PartClock(Life life) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => life.Part.Machine.Clock.GetUtcNow();

    public override long GetTimestamp() => life.World.Now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        life.World.CheckThread("a timer was made");
        var timer = new PartTimer(life, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class PartTimer(Life life, TimerCallback callback, object? state) : ITimer
    {
        private int _version;
        private TimeSpan _period;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _version++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan && life.IsAlive)
            {
                Arm(dueTime, _version);
            }
            return true;
        }

        private void Arm(TimeSpan due, int version) => life.World.After(due, life, () => Fire(version));

        private void Fire(int version)
        {
            if (version != _version)
            {
                return;
            }
            if (_period > TimeSpan.Zero)
            {
                Arm(_period, version);
            }
            callback(state);
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            _version++;
            return ValueTask.CompletedTask;
        }
    }
}
