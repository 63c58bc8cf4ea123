namespace LogPipeline.Sinks.Postgres.Partitions;

/// <summary>The times of one partition, in microseconds since 1970, UTC.</summary>
/// <param name="From">Its first; <see cref="long.MinValue"/> where it has no lower bound.</param>
/// <param name="To">The first behind it; <see cref="long.MaxValue"/> where it has no upper bound.</param>
internal readonly record struct TimeRange(long From, long To)
{
    public bool Contains(long time) => From <= time && time < To;
}
