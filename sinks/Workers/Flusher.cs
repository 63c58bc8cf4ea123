using LogPipeline.Contract;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// One flush, one transaction: the ledger's condition first, so that a replaced owner copies nothing and a frozen one is found by
/// its lock; then ranges, rows, dead letters. Nothing is told or counted before the commit's answer is there.
/// </summary>
internal sealed class Flusher(string sink, ISinkStore store, SinkEnvironment environment)
{
    /// <summary>So many rows refused alike, and this share of their flush, are the table's fault.</summary>
    private const int AlikeMin = 100;
    private const double AlikeShare = 0.9;

    private readonly KeyValuePair<string, object?> _tag = new("sink", sink);

    /// <exception cref="OwnershipLostException">Ledger or sources were not as expected: nothing was stored.</exception>
    /// <exception cref="StoreUnavailableException">The outcome may be unknown: claim again.</exception>
    public async Task FlushAsync(Claim claim, FlushWork work, CancellationToken cancellation)
    {
        long started = environment.Time.GetTimestamp();
        (LedgerEntry entry, OwnerToken owner) = claim;
        RowBatch rows = work.Rows;
        var overlaps = new Overlaps();
        await store.PrepareAsync(rows, cancellation);
        await using (ISinkFlush flush = await store.BeginAsync(cancellation))
        {
            var update = new LedgerUpdate(entry.Id, owner, entry.NextOffset, work.NextOffset, work.LeaderEpoch);
            if (await flush.UpdateLedgerAsync(update, cancellation) != 1)
            {
                await GiveUpAsync(flush, entry, cancellation);
            }
            SourceState[] sources = await ReadSourcesAsync(flush, rows, cancellation);
            List<SourceState> changed = MarkRanges(rows, sources, out overlaps);
            if (HasNew(rows))
            {
                await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], cancellation);
                RequireRowsFault(rows);
            }
            if (rows.Refusals.Count + work.Unreadable.Count > 0)
            {
                await flush.WriteDeadLettersAsync(DeadLetters(entry.Id, work, sources), cancellation);
            }
            if (changed.Count > 0 && await flush.UpdateSourcesAsync(changed, cancellation) != changed.Count)
            {
                await GiveUpAsync(flush, entry, cancellation);
            }
            await flush.CommitAsync(cancellation);
        }
        Tell(entry.Log, work, overlaps, environment.Time.GetElapsedTime(started));
    }

    /// <summary>Whether any row is to be stored.</summary>
    private static bool HasNew(RowBatch rows)
    {
        foreach (ref readonly Row row in rows.Rows)
        {
            if (row.State == RowState.Store)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Where a table refuses nearly all rows of a large flush for one reason, that is its fault and not each row's: nothing is thrown aside.</summary>
    private static void RequireRowsFault(RowBatch rows)
    {
        int tried = 0;
        foreach (ref readonly Row row in rows.Rows)
        {
            tried += row.State is RowState.Known or RowState.Unwanted ? 0 : 1;
        }
        if (rows.Refusals.Count < AlikeMin || rows.Refusals.Count < tried * AlikeShare)
        {
            return;
        }
        IGrouping<string, RowRefusal> alike = rows.Refusals.GroupBy(refusal => refusal.State).MaxBy(group => group.Count())!;
        if (alike.Count() >= tried * AlikeShare)
        {
            throw new StoreRefusedException($"the table refuses {alike.Count()} of {tried} rows alike: {alike.First().Reason} ({alike.Key}). "
                + "Mend the table, or the constraint; until then the sink waits, and no row is thrown aside.");
        }
    }

    private async Task GiveUpAsync(ISinkFlush flush, LedgerEntry entry, CancellationToken cancellation)
    {
        await flush.RollbackAsync(cancellation);
        SinkMeter.LostClaims.Add(1, _tag);
        throw new OwnershipLostException(entry.Log);
    }

    /// <summary>Reads in key order, gives back in the order of the batch.</summary>
    private static async Task<SourceState[]> ReadSourcesAsync(ISinkFlush flush, RowBatch rows, CancellationToken cancellation)
    {
        if (rows.Sources.Count == 0)
        {
            return [];
        }
        int[] order = Enumerable.Range(0, rows.Sources.Count).ToArray();
        Array.Sort(order, (a, b) => rows.Sources[a].Key.CompareTo(rows.Sources[b].Key));
        IReadOnlyList<SourceState> read = await flush.ReadSourcesAsync([.. order.Select(i => rows.Sources[i])], cancellation);
        var states = new SourceState[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            states[order[i]] = read[i];
        }
        return states;
    }

    /// <summary>
    /// Decides row by row: left out is only a record marked `again` whose whole range is stored. Gives the sources whose ranges
    /// grew, in key order.
    /// </summary>
    private static List<SourceState> MarkRanges(RowBatch rows, SourceState[] sources, out Overlaps overlaps)
    {
        overlaps = default;
        bool[] grown = new bool[sources.Length];
        foreach (ref Row row in rows.Rows)
        {
            if (row.Source < 0)
            {
                continue;
            }
            StoredRanges stored = sources[row.Source].Stored;
            if ((row.Flags & PositionFlags.Again) != 0 && stored.Contains(row.CoveredBegin, row.CoveredEnd))
            {
                row.State = RowState.Known;
                continue;
            }
            grown[row.Source] = true;
            if (!stored.Add(row.CoveredBegin, row.CoveredEnd))
            {
                overlaps = new Overlaps(overlaps.Count + 1, overlaps.Count == 0 ? row.Offset : overlaps.First);
            }
        }
        return [.. sources.Where((_, i) => grown[i]).OrderBy(s => s.Source.Key)];
    }

    private static List<DeadLetter> DeadLetters(int log, FlushWork work, SourceState[] sources)
    {
        var letters = new List<DeadLetter>();
        foreach (RowRefusal refusal in work.Rows.Refusals)
        {
            ref readonly Row row = ref work.Rows.Rows[refusal.Index];
            bool hasSource = row.Source >= 0;
            var place = new LetterPlace(hasSource ? sources[row.Source].Id : null, hasSource ? row.LineBegin : null, row.Part, row.Flags);
            letters.Add(new DeadLetter(log, row.Offset, Time(row.Timestamp), refusal.State, refusal.Reason, work.Rows.ValueMemory(row), place));
        }
        foreach (UnreadableBatch batch in work.Unreadable)
        {
            letters.Add(new DeadLetter(log, batch.Offset, Time(batch.Timestamp), "", batch.Reason, batch.Bytes));
        }
        return letters;
    }

    private static DateTimeOffset Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));

    private void Tell(LogIdentity log, FlushWork work, Overlaps overlaps, TimeSpan elapsed)
    {
        (int stored, long bytes, int known, int unwanted) = (0, 0L, 0, 0);
        foreach (ref readonly Row row in work.Rows.Rows)
        {
            known += row.State == RowState.Known ? 1 : 0;
            unwanted += row.State == RowState.Unwanted ? 1 : 0;
            if (row.State != RowState.Store)
            {
                continue;
            }
            stored++;
            bytes += row.ValueLength;
        }
        int letters = work.Rows.Refusals.Count + work.Unreadable.Count;
        SinkMeter.Rows.Add(stored, _tag);
        SinkMeter.Bytes.Add(bytes, _tag);
        SinkMeter.Flushes.Add(1, _tag);
        SinkMeter.FlushSeconds.Record(elapsed.TotalSeconds, _tag);
        if (known > 0)
        {
            SinkMeter.Known.Add(known, _tag);
        }
        if (unwanted > 0)
        {
            SinkMeter.Unwanted.Add(unwanted, _tag);
        }
        if (letters > 0)
        {
            SinkMeter.DeadLetters.Add(letters, _tag);
            environment.Events.Publish(new PoisonFound(sink, environment.Time.GetUtcNow(), log, letters));
        }
        if (overlaps.Count > 0)
        {
            SinkMeter.Overlaps.Add(overlaps.Count, _tag);
            environment.Events.Publish(new OverlapFound(sink, environment.Time.GetUtcNow(), log, overlaps.First));
        }
    }

    /// <summary>Records of a flush that repeat a byte of a stored range; the offset of the first.</summary>
    private readonly record struct Overlaps(int Count, long First);
}
