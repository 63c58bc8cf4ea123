namespace LogPipeline.Sinks.Query;

/// <summary>Rows of one partition, or of a table that has none.</summary>
/// <param name="From">None is before; null where that is not known.</param>
/// <param name="To">All are before; null where that is not known.</param>
/// <param name="Pages">How many pages they take.</param>
internal sealed record TableStretch(DateTimeOffset? From, DateTimeOffset? To, long Pages);
