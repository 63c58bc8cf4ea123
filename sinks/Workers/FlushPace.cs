namespace LogPipeline.Sinks.Workers;

/// <summary>
/// How soon a partition of a sink is flushed again. A given interval is the least time from one flush of a partition to its next. Without one
/// the sink's flushes rest after each for as long as it took: together they keep half a connection busy, so a row is seen within milliseconds
/// where a flush is quick, and rows gather where the database is slow or many partitions are written. Any thread may call; <c>_gate</c> guards <c>_restUntil</c>.
/// </summary>
internal sealed class FlushPace(TimeSpan? interval, TimeProvider time)
{
    /// <summary>No partition waits longer for others, as it must not wait for a sum of all their flushes.</summary>
    public static readonly TimeSpan RestMax = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly long _origin = time.GetTimestamp();
    private TimeSpan _restUntil; // since the origin

    /// <summary>For how long a partition is not to be flushed yet; zero or less: now.</summary>
    /// <param name="takenAt">When it was last flushed: a timestamp of the time provider's.</param>
    public TimeSpan Wait(long takenAt)
    {
        TimeSpan most = (interval ?? RestMax) - time.GetElapsedTime(takenAt);
        if (interval is not null)
        {
            return most;
        }
        lock (_gate)
        {
            TimeSpan rest = _restUntil - time.GetElapsedTime(_origin);
            return rest < most ? rest : most;
        }
    }

    /// <summary>A flush of any partition has ended, that was begun then.</summary>
    public void Ended(long takenAt)
    {
        TimeSpan now = time.GetElapsedTime(_origin);
        lock (_gate)
        {
            TimeSpan rest = (_restUntil > now ? _restUntil - now : TimeSpan.Zero) + time.GetElapsedTime(takenAt);
            _restUntil = now + (rest < RestMax ? rest : RestMax);
        }
    }
}
