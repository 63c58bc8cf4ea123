using LogPipeline.Contract;

namespace LogPipeline.Sinks.Ledger;

/// <summary>One partition of one life of a topic in one cluster, as one sink sees it: the key of <c>logpipe_logs</c>.</summary>
/// <param name="Topic">The name: part of the key for old brokers that know no topic ids.</param>
public sealed record LogIdentity(string Sink, string ClusterId, Guid TopicId, string Topic, int Partition)
{
    public override string ToString() => $"{Topic}-{Partition}";
}

/// <summary>16 random bytes, fresh for each claim: who may advance a log's ledger row.</summary>
public readonly record struct OwnerToken(Guid Value)
{
    /// <summary>Nobody has claimed the row: it is new, or a change of the table took it from its owner.</summary>
    public static readonly OwnerToken Nobody;

    public static OwnerToken New(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new OwnerToken(new Guid(bytes));
    }
}

/// <summary>A row of <c>logpipe_logs</c>.</summary>
/// <param name="Id">What rows carry in their column <c>log</c>.</param>
/// <param name="NextOffset">The first offset that is not yet in the table; control batches, fences and holes are counted.</param>
/// <param name="LeaderEpoch">The leader epoch of the last batch consumed; -1 before the first.</param>
public sealed record LedgerEntry(int Id, LogIdentity Log, long NextOffset, int LeaderEpoch, OwnerToken Owner);

/// <summary>Where a log begins for a sink that has not seen it.</summary>
public readonly record struct LedgerStart(LogIdentity Log, long Offset)
{
    /// <summary>The first offset that is there and is not stored, and why: noted as a gap; null where the log begins at <see cref="Offset"/>.</summary>
    public (long From, string Reason)? LeftOut { get; init; }
}

/// <summary>A conditional advance: it takes effect only where owner and expected offset are as the writer believes.</summary>
public readonly record struct LedgerUpdate(int LogId, OwnerToken Owner, long Expected, long Next, int LeaderEpoch);

/// <summary>Offsets that the log no longer had when the sink came for them, or that it was told to leave out.</summary>
public readonly record struct LedgerGap(int LogId, long From, long To, DateTimeOffset Found, string Reason)
{
    /// <summary>The reason of what a rebuild leaves out.</summary>
    public const string LeftOut = "left out by a rebuild";

    /// <summary>The reason of what was there before a sink that begins at the end.</summary>
    public const string BeforeStart = "before the sink's first start (start_from: latest)";
}

/// <summary>A record that the table refused or that could not be read.</summary>
/// <param name="State">SQLSTATE, or empty when the record itself could not be read.</param>
/// <param name="Value">The record's value, or the whole batch where records could not be told apart.</param>
/// <param name="Place">Where its row belongs; null when it was no record.</param>
public sealed record DeadLetter(
    int LogId, long Offset, DateTimeOffset Time, string State, string Reason, ReadOnlyMemory<byte> Value, LetterPlace? Place = null);

/// <summary>What the row of a dead letter would have in these columns.</summary>
public sealed record LetterPlace(int? Source, long? FileOffset, int Part, PositionFlags Flags);
