using LogPipeline.Contract;

namespace LogPipeline.Sinks.Ledger;

/// <summary>A record that the table refused or that could not be read.</summary>
/// <param name="State">SQLSTATE, or empty when the record itself could not be read.</param>
/// <param name="Value">The record's value, or the whole batch where records could not be told apart.</param>
/// <param name="Place">Where its row belongs; null when it was no record.</param>
public sealed record DeadLetter(
    int LogId, long Offset, DateTimeOffset Time, string State, string Reason, ReadOnlyMemory<byte> Value, LetterPlace? Place = null);

/// <summary>What the row of a dead letter would have in these columns.</summary>
public sealed record LetterPlace(int? Source, long? FileOffset, int Part, PositionFlags Flags);
