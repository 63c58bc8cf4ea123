namespace LogPipeline.Agent.Tailing;

/// <summary>Bytes a second, smoothed over ten seconds or so, and the highest such rate.</summary>
internal sealed class Throughput
{
    private const double Smoothing = 10;

    public double Rate { get; private set; }

    public double RateMax { get; private set; }

    public void Note(long bytes, TimeSpan passed)
    {
        if (passed > TimeSpan.Zero)
        {
            Rate += ((bytes / passed.TotalSeconds) - Rate) * Math.Min(1, passed.TotalSeconds / Smoothing);
            RateMax = Math.Max(Rate, RateMax);
        }
    }
}
