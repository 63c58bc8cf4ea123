namespace LogPipeline.Simulation.Machines;

/// <summary>A machine's wall clock: skewed, and it jumps.</summary>
internal sealed class MachineClock(Machine machine) : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Epoch + machine.World.Now + machine.ClockOffset;

    public override long GetTimestamp() => machine.World.Now.Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException("a machine has no timers; its parts have");
}
