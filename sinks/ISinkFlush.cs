using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks;

/// <summary>One transaction. Disposed without a commit it leaves nothing behind.</summary>
public interface ISinkFlush : IAsyncDisposable
{
    /// <summary>Reads the rows of these sources, adding those that are missing; the result is in the order asked for.</summary>
    /// <param name="sources">Sorted by key, each once.</param>
    ValueTask<IReadOnlyList<SourceState>> ReadSourcesAsync(IReadOnlyList<Source> sources, CancellationToken cancellation);

    /// <summary>
    /// Stores the rows of the batch, which is parsed, that are <see cref="RowState.Store"/>. A row that the table refuses for its data is marked
    /// <see cref="RowState.Refused"/> and named in <see cref="RowBatch.Refusals"/>; the others are stored.
    /// </summary>
    /// <param name="sourceIds">The id of each of the batch's sources, by index.</param>
    ValueTask CopyRowsAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation);

    /// <summary>Advances a ledger row where owner and expected offset hold; gives the rows affected: 1, or 0.</summary>
    ValueTask<int> UpdateLedgerAsync(LedgerUpdate update, CancellationToken cancellation);

    /// <summary>Writes ranges in key order where the version is as read; gives the rows affected.</summary>
    ValueTask<int> UpdateSourcesAsync(IReadOnlyList<SourceState> sources, CancellationToken cancellation);

    ValueTask WriteDeadLettersAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellation);

    ValueTask WriteGapAsync(LedgerGap gap, CancellationToken cancellation);

    /// <summary>Makes all of it durable at once. When it throws, the outcome is unknown: claim again and read the ledger.</summary>
    ValueTask CommitAsync(CancellationToken cancellation);

    ValueTask RollbackAsync(CancellationToken cancellation);
}

/// <summary>A transaction of a store whose dead letters can be tried again.</summary>
public interface IDeadLetterFlush : ISinkFlush
{
    /// <summary>Letters are taken while those taken have less: they are all in memory, and each may have megabytes.</summary>
    const int TakenBytesMax = 32 << 20;

    /// <summary>Removes dead letters that have a place and returns them, by log and offset; of large ones fewer than there are, and one at least.</summary>
    /// <param name="condition">On the columns of <c>logpipe_dead_letters</c>.</param>
    /// <param name="after">Only letters behind this log and offset.</param>
    /// <param name="atMost">How many at most.</param>
    ValueTask<IReadOnlyList<DeadLetter>> TakeDeadLettersAsync(string condition, (int Log, long Offset) after, int atMost, CancellationToken cancellation);
}
