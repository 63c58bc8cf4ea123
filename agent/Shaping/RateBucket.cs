namespace LogPipeline.Agent.Shaping;

/// <summary>What becomes of lines beyond a rate.</summary>
public enum RatePolicy
{
    /// <summary>They wait in their file.</summary>
    Wait,

    /// <summary>They are left out, and counted.</summary>
    Drop,
}

/// <summary>How many lines of a file are sent in a second.</summary>
/// <param name="LinesPerSecond">In the long run.</param>
/// <param name="Burst">Lines that may come at once.</param>
/// <param name="Policy">What becomes of more.</param>
public sealed record RateLimit(int LinesPerSecond, int Burst, RatePolicy Policy);

/// <summary>The lines that a file may give now: it fills at the rate, up to the burst. Full at a start.</summary>
internal sealed class RateBucket(RateLimit limit, TimeProvider time)
{
    private double _lines = limit.Burst;
    private long _filled = time.GetTimestamp();

    /// <summary>Takes lines that belong together; what they are more than there is is owed.</summary>
    public bool TryTake(int lines)
    {
        long now = time.GetTimestamp();
        _lines = Math.Min(limit.Burst, _lines + (time.GetElapsedTime(_filled, now).TotalSeconds * limit.LinesPerSecond));
        _filled = now;
        bool has = _lines >= 1;
        _lines -= has ? lines : 0;
        return has;
    }

    /// <summary>When it has a line again: a timestamp.</summary>
    public long ReadyAt => _filled + (long)(Math.Max(0, 1 - _lines) / limit.LinesPerSecond * time.TimestampFrequency) + 1;
}
