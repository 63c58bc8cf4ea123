using LogPipeline.Sinks.Query;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// Removes rows that stand for the same bytes of the same file as others. What it removes it notes in <c>logpipe_repairs</c>, so
/// that a verification does not miss it.
/// </summary>
public sealed class Repair : IAsyncDisposable
{
    private readonly ISqlDialect _dialect;
    private readonly TableSide _table;
    private readonly Repeats _repeats;

    /// <exception cref="SinkConfigurationException">The sink has no table.</exception>
    public Repair(SinkOptions options)
    {
        options.Validate();
        _dialect = SinkStores.DialectOf(options, TimeProvider.System)
            ?? throw new SinkConfigurationException($"sink {options.Name} writes files: only postgres and sqlite sinks can be repaired");
        _table = new TableSide(_dialect, options.Name, options.Table);
        _repeats = new Repeats(_dialect, _table, options.Table);
    }

    /// <summary>What would be removed.</summary>
    public async Task<IReadOnlyList<RepeatedRows>> FindAsync(CancellationToken cancellation)
    {
        IReadOnlyList<TableSource> sources = await _table.SourcesAsync(cancellation);
        return [.. await _repeats.StoredTwiceAsync(sources, cancellation), .. await _repeats.ReadAgainAsync(sources, cancellation)];
    }

    /// <summary>Removes what was found, all in one transaction; gives the number of rows.</summary>
    public Task<long> RemoveAsync(IReadOnlyList<RepeatedRows> found, CancellationToken cancellation) => _repeats.RemoveAsync(found, cancellation);

    public ValueTask DisposeAsync() => _dialect.DisposeAsync();
}

/// <summary>Why rows are repeats of others.</summary>
public enum RepeatKind
{
    /// <summary>The same record, row for row.</summary>
    SameRecord,

    /// <summary>The same place of the same life of a file, under another offset.</summary>
    SamePlace,

    /// <summary>A file that an agent without its state read from the start again.</summary>
    ReadAgain,
}

/// <summary>Rows of one source that are repeats; <paramref name="From"/> and <paramref name="To"/> are the first and last row's place in the file.</summary>
public sealed record RepeatedRows(RepeatKind Kind, int Source, string Host, string File, string Generation, long Rows, long From, long To)
{
    public override string ToString() => Generation.Length == 0
        ? $"offsets {From} to {To}: {Rows} row{(Rows == 1 ? "" : "s")} of records that are of no file stand there twice"
        : $"{Host}:{File} from byte {From} to the line at {To}: {Rows} row{(Rows == 1 ? "" : "s")} of generation {Generation} "
        + Kind switch
        {
            RepeatKind.SameRecord => "stand there twice",
            RepeatKind.SamePlace => "repeat others of it under another offset",
            _ => "equal, byte for byte, those of an earlier agent, whose state was lost",
        };
}
