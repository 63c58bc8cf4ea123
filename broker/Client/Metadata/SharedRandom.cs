namespace LogPipeline.Client.Metadata;

/// <summary>A given source of chance, for callers on any thread.</summary>
internal sealed class SharedRandom(Random random)
{
    private readonly Lock _gate = new();

    public double NextDouble()
    {
        lock (_gate)
        {
            return random.NextDouble();
        }
    }

    /// <summary>From 0 up to, not including, <paramref name="end"/>.</summary>
    public int Next(int end)
    {
        lock (_gate)
        {
            return random.Next(end);
        }
    }
}
