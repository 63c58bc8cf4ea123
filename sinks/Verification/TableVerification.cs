using LogPipeline.Client;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>Compares topic and table, row by row. Reads only.</summary>
internal sealed class TableVerification(SinkOptions options, ISqlDialect dialect, TopicSide topic)
{
    private readonly HashSet<string> _madeAnew = [];
    private IReadOnlyList<TableVersion> _versions = [];

    public async Task<VerifyReport> RunAsync(string clusterId, Action<long>? progress, CancellationToken cancellation)
    {
        var table = new TableSide(dialect, options.Name, options.Table);
        IReadOnlyList<PinnedLog> logs = await table.LogsAsync(clusterId, cancellation);
        if (logs.Count == 0)
        {
            topic.Notes.Add($"the ledger of sink {options.Name} knows nothing of cluster {clusterId}: has the sink run?");
        }
        await topic.NoteBacklogAsync(options, logs, cancellation);
        // Read after the pins: a source that a pinned row points at is there.
        var sources = (await table.SourcesAsync(cancellation)).ToDictionary(s => s.Id);
        foreach (PinnedLog log in logs)
        {
            // Rows of a log that was deleted may stand for records that the topic's new log was sent again.
            if (await topic.WasMadeAnewAsync(log, cancellation))
            {
                _madeAnew.Add(log.Topic);
            }
        }
        if (await table.MayReadVersionsAsync(cancellation))
        {
            _versions = await table.VersionsAsync(cancellation);
        }
        else
        {
            topic.Notes.Add("the user may not read logpipe_table_versions: the configured where, if there is one, is taken for that of all offsets");
        }
        long compared = 0L;
        foreach (PinnedLog log in logs)
        {
            compared += await CompareAsync(log, table, sources, count => progress?.Invoke(compared + count), cancellation);
        }
        if (await table.RowsWithoutLogAsync(cancellation) is > 0 and long rows)
        {
            topic.Findings.Add(new Finding(FindingSide.LedgerDiffers, "", -1, -1, null, null, null,
                $"{rows} rows of {options.Table.Rows} are of logs that logpipe_logs does not have (was it restored or emptied without the table?), so each of their lines may be stored twice"));
        }
        await topic.FindHolesAsync(cancellation);
        CheckLedger(sources.Values);
        bool hasAlike = await NoteRepeatsAsync(table, sources.Values, cancellation);
        List<GenerationSummary> generations = [.. topic.Generations.Values.Select(a => a.Summary())];
        topic.CloseFiles();
        return new VerifyReport
        {
            Findings = topic.Findings,
            Generations = generations,
            Notes = topic.Notes,
            HasAlikeGenerations = hasAlike,
            RowsCompared = compared,
        };
    }

    /// <summary>Files whose lines are stored under two identities: to the comparison of topic and table each is whole.</summary>
    /// <returns>True when generations of one agent are alike.</returns>
    private async Task<bool> NoteRepeatsAsync(TableSide side, IReadOnlyCollection<TableSource> sources, CancellationToken cancellation)
    {
        TableName table = options.Table;
        var repeats = new Repeats(dialect, side, table);
        foreach (RepeatedRows again in await repeats.ReadAgainAsync(sources, cancellation))
        {
            topic.Notes.Add($"{again}: --repair removes them");
        }
        List<RepeatedRows> alikes = await new AlikeGenerations(side, repeats, table).FindAsync(sources, cancellation);
        foreach (RepeatedRows alike in alikes)
        {
            topic.Notes.Add($"{alike.Host}:{alike.File} from byte {alike.From} to the line at {alike.To}: all {alike.Rows} rows of generation {alike.Generation} equal those of an earlier one. "
                + "Either the file was written again with the same lines, or one file was taken for two and they are stored twice; nothing here tells which, and --repair leaves them");
        }
        return alikes.Count > 0;
    }

    private async Task<long> CompareAsync(
        PinnedLog log, TableSide table, Dictionary<int, TableSource> sources, Action<long> progress, CancellationToken cancellation)
    {
        TopicPartition partition = log.TopicPartition;
        if (await topic.ExtentAsync(log, cancellation) is not var (start, end))
        {
            return 0;
        }
        var unstored = new StoredRanges();
        foreach ((long from, long to, string reason) in await table.GapsAsync(log.Id, cancellation))
        {
            unstored.Add(from, to);
            topic.Notes.Add($"{partition}: offsets {from} to {to - 1} " + reason switch
            {
                LedgerGap.LeftOut => "were left out by a rebuild",
                LedgerGap.BeforeStart => "were there before the sink, which began at the end (start_from: latest)",
                _ => "were gone before the sink came (recorded as a gap)",
            });
        }
        await using IAsyncEnumerator<TableRow> rows = table.RowsAsync(log, cancellation).GetAsyncEnumerator(cancellation);
        HashSet<long> deadLetters = await table.DeadLettersAsync(log.Id, cancellation);
        StoredRanges repaired = await table.RepairsAsync(log.Id, cancellation);
        if (repaired.Total > 0)
        {
            topic.Notes.Add($"{partition}: {repaired.Total} rows were removed by repairs");
        }
        var comparison = new LogComparison(log, rows, deadLetters, repaired, unstored, sources, topic);
        await comparison.StartAsync(start);
        comparison.Expired = await table.ExpiredAsync(log.Id, cancellation);
        foreach (VersionPart part in VersionPart.Of(log, _versions, options.Parser, start, end))
        {
            await topic.WalkAsync(partition, part.From, part.To, async records =>
            {
                part.Apply(records);
                await comparison.AddAsync(records, part.To);
                progress(comparison.Compared);
            }, cancellation);
            if (part.Parser is null)
            {
                topic.Notes.Add($"{partition}: offsets {part.From} to {part.To - 1} were stored by a filter whose parser is no longer configured: which of them it left out is not told");
            }
        }
        if (comparison.Unwanted > 0)
        {
            topic.Notes.Add($"{partition}: {comparison.Unwanted} records are left out by the sink's where");
        }
        if (comparison.DeadLetters is > 0 and long letters)
        {
            topic.Notes.Add($"{partition}: {(letters == 1 ? "1 record is a dead letter" : $"{letters} records are dead letters")}, which the table refused: logpipe deadletters list {options.Name}");
        }
        CheckExpired(partition, comparison, start);
        await comparison.SettleAsync(topicIsWhole: start == 0 && !_madeAnew.Contains(log.Topic));
        return comparison.Compared;
    }

    /// <summary>What retention took is held against the topic's records of those offsets, as far as the topic has them.</summary>
    private void CheckExpired(TopicPartition partition, LogComparison comparison, long start)
    {
        (ExpiredRows expired, (long records, long bytes)) = (comparison.Expired, comparison.ExpiredRecords);
        if (expired.Rows == 0)
        {
            return;
        }
        (long first, long last) = (expired.Offsets.Ranges[0].Begin, expired.Offsets.Ranges[^1].End - 1);
        string agrees = records == expired.Rows && bytes == expired.Bytes ? "their number and bytes are those of the topic's records" : $"the topic has {records} of them with {bytes} bytes";
        topic.Notes.Add($"{partition}: retention took {expired.Rows} rows with {expired.Bytes} bytes, of offsets {first} to {last}; {agrees}");
        if (records == expired.Rows && bytes != expired.Bytes && first >= start)
        {
            topic.Findings.Add(new Finding(FindingSide.TableDiffers, partition.Topic, partition.Partition, first, null, null, null,
                $"{partition}: the {expired.Rows} rows that retention took had {expired.Bytes} bytes, and the topic's records of those offsets have {bytes}"));
        }
    }

    private void CheckLedger(IEnumerable<TableSource> sources)
    {
        foreach (TableSource source in sources)
        {
            if (!topic.Generations.TryGetValue(source.Key, out GenerationAccount? account))
            {
                continue;
            }
            var wrong = account.InTable.Ranges.Where(r => !source.Stored.Contains(r.Begin, r.End)).Take(1).ToList();
            if (wrong.Count > 0)
            {
                topic.Findings.Add(new Finding(
                    FindingSide.LedgerDiffers, source.Key.Topic, -1, -1, source.Host, source.File, wrong[0].Begin,
                    $"{source.Host}:{source.File} bytes {wrong[0].Begin} to {wrong[0].End - 1} have rows, but logpipe_sources does not count them as stored"));
            }
        }
    }
}
