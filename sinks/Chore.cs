using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks;

/// <summary>Work that a store has done beside the flushes, at the start and then now and then.</summary>
/// <param name="Name">For people, such as <c>partitions</c>.</param>
/// <param name="Interval">From the end of one time to the begin of the next.</param>
/// <param name="DoAsync">Does it, and returns what it removed.</param>
public sealed record Chore(string Name, TimeSpan Interval, Func<CancellationToken, ValueTask<IReadOnlyList<ExpiredPart>>> DoAsync);
