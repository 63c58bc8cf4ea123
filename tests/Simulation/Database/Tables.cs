using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Simulation.Database;

/// <summary>A row of the sink's table.</summary>
public sealed record TableRow(
    int LogId, long Offset, int SourceId, long LineBegin, long CoveredBegin, long CoveredEnd, int Part, PositionFlags Flags, byte[] Value);

/// <summary>A row of <c>logpipe_sources</c>.</summary>
public sealed record SourceRow(int Id, Source Source, long Version, IReadOnlyList<FileRange> Stored);

/// <summary>What the database holds for good. Rows are immutable, so that a backup is a copy of the lists.</summary>
public sealed class Tables
{
    public Guid LedgerId { get; set; }

    public List<LedgerEntry> Logs { get; init; } = [];

    public List<SourceRow> Sources { get; init; } = [];

    public List<TableRow> Rows { get; init; } = [];

    public List<DeadLetter> DeadLetters { get; init; } = [];

    public List<LedgerGap> Gaps { get; init; } = [];

    public Tables Copy() => new()
    {
        LedgerId = LedgerId,
        Logs = [.. Logs],
        Sources = [.. Sources],
        Rows = [.. Rows],
        DeadLetters = [.. DeadLetters],
        Gaps = [.. Gaps],
    };
}
