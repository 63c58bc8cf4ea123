using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// Merges one log's records with its rows, both in offset order, and the records with the files they came from. What has no
/// partner at its offset is kept: a record marked `again` may be stored under an earlier offset, and a row may stand for a record
/// whose offset the topic lost. <see cref="SettleAsync"/> pairs those at the end.
/// </summary>
internal sealed class LogComparison(
    PinnedLog log, IAsyncEnumerator<TableRow> rows, HashSet<long> deadLetters, StoredRanges removed, StoredRanges gaps, IReadOnlyDictionary<int, TableSource> sources,
    TopicSide topic)
{
    private readonly SortedDictionary<SourceKey, GenerationAccount> _accounts = topic.Generations;
    private readonly List<UnstoredRecord> _unstored = [];
    private readonly List<TableRow> _extra = [];
    private (long Records, long Bytes) _expired;
    private TableRow _row;
    private bool _hasRow;

    /// <summary>What retention took, with the rows whose partitions it is about to take.</summary>
    public ExpiredRows Expired { get; set; } = new(new StoredRanges(), 0, 0);

    /// <summary>The topic's records that have no row, but offsets of rows that retention took.</summary>
    public (long Records, long Bytes) ExpiredRecords => _expired;

    /// <summary>Records that have no row since the sink's filter left them out.</summary>
    public long Unwanted { get; private set; }

    /// <summary>Records that have no row since the table refused them.</summary>
    public long DeadLetters { get; private set; }

    /// <summary>Rows seen.</summary>
    public long Compared { get; private set; }

    public async Task StartAsync(long topicStart)
    {
        await NextAsync();
        // What the topic no longer holds can only be held against itself.
        long previous = -1L;
        for (; _hasRow && _row.Offset < topicStart; await NextAsync())
        {
            if (_row.Offset == previous)
            {
                Report(FindingSide.TableRepeated, _row.Offset, SourceOf(_row), _row.FileOffset, "is there twice");
            }
            previous = _row.Offset;
        }
    }

    public async Task AddAsync(RowBatch records, long end)
    {
        for (int i = 0; i < records.Count; i++)
        {
            long offset = records.Rows[i].Offset;
            if (offset >= end)
            {
                return;
            }
            while (_hasRow && _row.Offset < offset)
            {
                await KeepExtraAsync();
            }
            bool found = topic.Add(log, records, i);
            bool stored = false;
            while (_hasRow && _row.Offset == offset)
            {
                if (!stored && IsSame(records, i, _row))
                {
                    stored = true;
                    CountRow(_row);
                    await NextAsync();
                }
                else
                {
                    await KeepExtraAsync();
                }
            }
            Note(records, i, found, stored);
        }
    }

    /// <summary>Pairs what is left over; what remains is missing or repeated.</summary>
    public async Task SettleAsync(bool topicIsWhole)
    {
        while (_hasRow)
        {
            await KeepExtraAsync();
        }
        foreach (TableRow row in _extra)
        {
            CountRow(row);
            TableSource? source = SourceOf(row);
            int lost = source is null ? -1 : _unstored.FindIndex(u => u.Key == source.Key && row.FileOffset >= u.Begin && row.FileOffset < u.End);
            if (lost >= 0)
            {
                _accounts[source!.Key].InTable.Add(_unstored[lost].Begin, _unstored[lost].End);
                Count(_unstored[lost]);
                _unstored.RemoveAt(lost);
                continue;
            }
            Report(FindingSide.TableRepeated, row.Offset, source, row.FileOffset, "is one more than the topic has");
        }
        foreach (UnstoredRecord record in _unstored)
        {
            SourceKey key = record.Key;
            bool known = _accounts[key].InTable.Contains(record.Begin, record.End);
            if (!known && (!topicIsWhole || Expired.Rows > 0) && sources.Values.Any(s => s.Key == key && s.Stored.Contains(record.Begin, record.End)))
            {
                continue; // its row is at an offset that the topic no longer has, or went by retention, so neither side counts it
            }
            Count(record);
            if (!known)
            {
                Report(FindingSide.TableMissing, record.Offset, sources.Values.FirstOrDefault(s => s.Key == key), record.Begin, "is missing");
            }
        }
    }

    private async Task NextAsync()
    {
        _hasRow = await rows.MoveNextAsync();
        _row = _hasRow ? rows.Current : default;
        Compared += _hasRow ? 1 : 0;
    }

    private async Task KeepExtraAsync()
    {
        _extra.Add(_row);
        await NextAsync();
    }

    private bool IsSame(RowBatch records, int index, TableRow row)
    {
        ref readonly Row record = ref records.Rows[index];
        bool isSamePlace = record.Source < 0 ? row.Source == 0
            : SourceOf(row)?.Key == records.Sources[record.Source].Key && row.FileOffset == record.LineBegin && row.Part == record.Part;
        if (isSamePlace && !records.Value(record).SequenceEqual(row.Bytes))
        {
            Report(FindingSide.TableDiffers, row.Offset, SourceOf(row), row.FileOffset, "has other bytes than the record");
        }
        return isSamePlace;
    }

    private void Note(RowBatch records, int index, bool isFresh, bool stored)
    {
        ref readonly Row record = ref records.Rows[index];
        if (!stored && removed.Contains(record.Offset, record.Offset + 1))
        {
            CountAsStored(records, record);
            return;
        }
        if (!stored && gaps.Contains(record.Offset, record.Offset + 1))
        {
            return;
        }
        if (!stored && deadLetters.Contains(record.Offset))
        {
            DeadLetters++;
            CountAsStored(records, record);
            return;
        }
        if (!stored && record.State == RowState.Unwanted)
        {
            Unwanted++;
            CountAsStored(records, record);
            return;
        }
        if (!stored && Expired.Offsets.Contains(record.Offset, record.Offset + 1))
        {
            _expired = (_expired.Records + 1, _expired.Bytes + record.ValueLength);
            CountAsStored(records, record);
            return;
        }
        if (record.Source < 0)
        {
            if (!stored)
            {
                Report(FindingSide.TableMissing, record.Offset, (Source?)null, null, "is missing");
            }
            return;
        }
        SourceKey key = records.Sources[record.Source].Key;
        bool isAgain = (record.Flags & PositionFlags.Again) != 0;
        if (stored || (isFresh && !isAgain))
        {
            _accounts[key].Topic.Add(record.LineBegin, record.Part, records.Value(record));
        }
        if (stored)
        {
            CountAsStored(records, record);
        }
        else if (isAgain)
        {
            ReadOnlySpan<byte> value = records.Value(record);
            ulong hash = GenerationAccount.HashOf(record.LineBegin, record.Part, value);
            _unstored.Add(new UnstoredRecord(key, record.Offset, record.CoveredBegin, record.CoveredEnd, isFresh, value.Length, hash));
        }
        else
        {
            Report(FindingSide.TableMissing, record.Offset, records.Sources[record.Source], record.LineBegin, "is missing");
        }
    }

    /// <summary>The range of a record without a row may be in the ledger as a row's is: what is sent again of it was left out.</summary>
    private void CountAsStored(RowBatch records, in Row record)
    {
        if (record.Source >= 0)
        {
            _accounts[records.Sources[record.Source].Key].InTable.Add(record.CoveredBegin, record.CoveredEnd);
        }
    }

    private void Count(in UnstoredRecord record)
    {
        if (record.IsFresh)
        {
            _accounts[record.Key].Topic.Add(record.Bytes, record.Hash);
        }
    }

    private TableSource? SourceOf(TableRow row) => sources.GetValueOrDefault(row.Source);

    private void CountRow(TableRow row)
    {
        if (SourceOf(row) is { } source && _accounts.TryGetValue(source.Key, out GenerationAccount? account))
        {
            account.Table.Add(row.FileOffset, row.Part, row.Bytes);
        }
    }

    private void Report(FindingSide side, long offset, TableSource? source, long? fileOffset, string what) =>
        Report(side, offset, source is null ? null : new Source(source.Key, source.Host, source.File), fileOffset, what);

    private void Report(FindingSide side, long offset, Source? source, long? fileOffset, string what) => topic.Report(side, log, offset, source, fileOffset, what);

    /// <summary>A record marked <c>again</c> that is in no row at its offset.</summary>
    private readonly record struct UnstoredRecord(SourceKey Key, long Offset, long Begin, long End, bool IsFresh, long Bytes, ulong Hash);
}
