namespace LogPipeline.Files.Waiting;

/// <summary>The delays between retries: they double from <paramref name="First"/> up to <paramref name="Max"/>, and chance spreads each one.</summary>
/// <param name="First">Upper bound of the delay after the first failure.</param>
/// <param name="Max">Upper bound that no delay exceeds.</param>
public readonly record struct BackOff(TimeSpan First, TimeSpan Max)
{
    /// <summary>Returns the delay before the next try: half of its upper bound is fixed, the other half is scaled by chance.</summary>
    /// <param name="failures">Failures so far without the last one: 0 after the first failure.</param>
    /// <param name="chance">A random number from 0 up to 1, so that many clients that failed together do not retry together.</param>
    public TimeSpan Delay(int failures, double chance)
    {
        // Twenty doublings exceed any maximum in use; the bound keeps the shift from overflowing.
        TimeSpan bound = First * (1L << Math.Clamp(failures, 0, 20));
        return (bound < Max ? bound : Max) * (0.5 + chance / 2);
    }
}
