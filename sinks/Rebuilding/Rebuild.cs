using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>How far a rebuild is. Each is written in the transaction that does what leads to it, so that a start goes on from there.</summary>
public enum RebuildStage
{
    /// <summary>Somebody asked for it.</summary>
    Requested,

    /// <summary>The shadow table is there, and its ledger rows say where its records begin.</summary>
    ShadowCreated,

    /// <summary>The shadow sink fills it from the log.</summary>
    Filling,

    /// <summary>It has all that the live table has, as of a moment ago; the shadow sink keeps up.</summary>
    CaughtUp,

    /// <summary>Its rows were compared with the log's records.</summary>
    Verified,

    /// <summary>It is the live table. The one before is kept.</summary>
    Swapped,

    /// <summary>Given up: the shadow is gone, the live table is as it was.</summary>
    Aborted,

    /// <summary>The table before is the live one again.</summary>
    RolledBack,
}

/// <summary>A rebuild of a sink's table from the log: a row of <c>logpipe_rebuilds</c>.</summary>
public sealed record Rebuild
{
    public required int Id { get; init; }

    public required string Sink { get; init; }

    /// <summary>The live table's name, as the configuration has it.</summary>
    public required string Table { get; init; }

    public required RebuildStage Stage { get; init; }

    /// <summary>What the new table is filled by.</summary>
    public required ParserOptions Parser { get; init; }

    /// <summary>The offset at which each partition begins; null where the time or the log's start says it.</summary>
    public long? FromOffset { get; init; }

    /// <summary>The time of the first records; null where the offset or the log's start says it.</summary>
    public DateTimeOffset? FromTime { get; init; }

    /// <summary>Whether rows that the live table has from before the first record may go with it.</summary>
    public required bool LeavesOlder { get; init; }

    /// <summary>The sum of the offsets at which the shadow's partitions begin.</summary>
    public long FirstOffsets { get; init; }

    public required DateTimeOffset Requested { get; init; }

    public required string RequestedBy { get; init; }

    /// <summary>What it waits for, or why it ended so; null when there is nothing to say.</summary>
    public string? Note { get; init; }

    /// <summary>Whether the table that was swapped out is still there.</summary>
    public required bool KeepsOther { get; init; }

    public bool IsUnderWay => Stage < RebuildStage.Swapped;

    internal TableName Live => TableName.Parse(Table);

    /// <summary>The sink and table that are filled beside the live ones.</summary>
    internal SinkTable Shadow => Beside("rebuild", FormattableString.Invariant($"_rebuild{Id}"));

    /// <summary>Where the table before goes when the shadow takes its place.</summary>
    internal SinkTable Before => Beside("before", "_before");

    /// <summary>Where a rolled back table goes.</summary>
    internal SinkTable Undone => Beside("undone", "_undone");

    /// <summary>The one that is not live, while it is kept.</summary>
    internal SinkTable Other => Stage == RebuildStage.RolledBack ? Undone : Before;

    public override string ToString() => $"rebuild {Id} of {Table}";

    // Its number keeps the sink, and the table that a worker writes to, apart from those of other rebuilds: one that wakes up late harms none of them.
    private SinkTable Beside(string role, string suffix) => new(FormattableString.Invariant($"{Sink}.{role}.{Id}"), TableName.Parse(Live.With(suffix)));
}

/// <summary>What is asked for.</summary>
/// <param name="Parser">What fills the new table.</param>
/// <param name="FromOffset">See <see cref="Rebuild.FromOffset"/>.</param>
/// <param name="FromTime">See <see cref="Rebuild.FromTime"/>.</param>
/// <param name="LeavesOlder">See <see cref="Rebuild.LeavesOlder"/>.</param>
/// <param name="By">Who asks, such as <c>alice@web-1</c>.</param>
public sealed record RebuildRequest(ParserOptions Parser, long? FromOffset, DateTimeOffset? FromTime, bool LeavesOlder, string By);

/// <summary>How far the shadow is, in offsets of all partitions together.</summary>
/// <param name="Done">Since its start.</param>
/// <param name="Left">Until it has what the live table has.</param>
public readonly record struct RebuildProgress(long Done, long Left);
