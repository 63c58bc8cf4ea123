using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Events;

/// <summary>Something in a sink's life worth telling.</summary>
public abstract record SinkEvent(string Sink, DateTimeOffset Time);

/// <summary>The sink joined its group and writes.</summary>
public sealed record SinkStarted(string Sink, DateTimeOffset Time, string Store) : SinkEvent(Sink, Time);

/// <summary>The sink left its group.</summary>
public sealed record SinkStopped(string Sink, DateTimeOffset Time, string Reason) : SinkEvent(Sink, Time);

/// <summary>The database cannot be reached: partitions wait, the assignment is kept.</summary>
public sealed record SinkPaused(string Sink, DateTimeOffset Time, string Reason) : SinkEvent(Sink, Time);

/// <summary>The database answers again.</summary>
public sealed record SinkResumed(string Sink, DateTimeOffset Time, TimeSpan Paused) : SinkEvent(Sink, Time);

/// <summary>A person paused the sink, or a part of it.</summary>
/// <param name="What">What is paused now, by whom and since when.</param>
public sealed record SinkPausedByCommand(string Sink, DateTimeOffset Time, string What) : SinkEvent(Sink, Time);

/// <summary>A person resumed the sink: nothing of it is paused any more.</summary>
public sealed record SinkResumedByCommand(string Sink, DateTimeOffset Time) : SinkEvent(Sink, Time);

/// <summary>Offsets that no longer exist were never stored.</summary>
public sealed record GapFound(string Sink, DateTimeOffset Time, LogIdentity Log, long From, long To) : SinkEvent(Sink, Time);

/// <summary>The log ends below what was stored: its tail was lost; the sink went back.</summary>
public sealed record TruncationFound(string Sink, DateTimeOffset Time, LogIdentity Log, long Stored, long End) : SinkEvent(Sink, Time);

/// <summary>A file range came twice without the mark that says it may: both are stored.</summary>
public sealed record OverlapFound(string Sink, DateTimeOffset Time, LogIdentity Log, long Offset) : SinkEvent(Sink, Time);

/// <summary>Records went to the dead letters.</summary>
public sealed record PoisonFound(string Sink, DateTimeOffset Time, LogIdentity Log, int Count) : SinkEvent(Sink, Time);

/// <summary>
/// A file that the sink wrote is shorter than what was committed to it, or gone: somebody cut or moved it. It is begun anew at
/// <paramref name="Length"/>; what was cut off is not written again.
/// </summary>
public sealed record OutputCut(string Sink, DateTimeOffset Time, string Path, long Committed, long Length) : SinkEvent(Sink, Time);

/// <summary>A rule on stored rows found more than it allows.</summary>
public sealed record AlertRaised(string Sink, DateTimeOffset Time, string Rule, string Found) : SinkEvent(Sink, Time);

/// <summary>Nobody knows what a rule would find: its rows are not stored yet. What follows is that it is raised, or over.</summary>
public sealed record AlertUnknown(string Sink, DateTimeOffset Time, string Rule, string Reason) : SinkEvent(Sink, Time);

/// <summary>What a rule found is within its limit again.</summary>
public sealed record AlertOver(string Sink, DateTimeOffset Time, string Rule, string Found) : SinkEvent(Sink, Time);

/// <summary>Rows that are older than the sink keeps them were removed.</summary>
public sealed record RowsExpired(string Sink, DateTimeOffset Time, ExpiredPart Part) : SinkEvent(Sink, Time);

/// <summary>The rows' table or files were taken over to a changed parser.</summary>
/// <param name="Change">What became of them, and that it is so from now on.</param>
public sealed record TableChanged(string Sink, DateTimeOffset Time, string Change) : SinkEvent(Sink, Time);

/// <summary>The rows go on in another table, which took the place of the one before.</summary>
public sealed record TableReplaced(string Sink, DateTimeOffset Time) : SinkEvent(Sink, Time);
