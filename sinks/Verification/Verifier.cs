using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>Compares files, topic and table, and names each hole or repeat and its side. Reads only.</summary>
public sealed class Verifier
{
    private readonly SinkOptions _options;
    private readonly IConnector _connector;
    private readonly IFileSystem _files;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly List<Finding> _findings = [];
    private readonly List<string> _notes = [];
    private readonly SortedDictionary<SourceKey, GenerationAccount> _accounts = [];
    private readonly HashSet<string> _shortened = [];
    private readonly HashSet<string> _madeAnew = [];

    /// <exception cref="SinkConfigurationException">The sink has no table.</exception>
    public Verifier(SinkOptions options, IConnector connector, IFileSystem files, TimeProvider time, Random random)
    {
        options.Validate();
        if (options.Files is not null)
        {
            throw new SinkConfigurationException($"sink {options.Name} writes files: only postgres and sqlite sinks can be verified row by row");
        }
        (_options, _connector, _files, _time, _random) = (options, connector, files, time, random);
    }

    /// <summary>Pins the ledger's next offsets and compares all below them.</summary>
    /// <exception cref="LogUnreadableException">The topic holds a batch that cannot be read.</exception>
    /// <param name="progress">Called now and then with the rows compared so far.</param>
    public async Task<VerifyReport> RunAsync(Action<long>? progress, CancellationToken cancellation)
    {
        await using ISqlDialect dialect = SinkStores.DialectOf(_options, _time)!; // the constructor refuses a sink that writes files
        var table = new TableSide(dialect, _options.Name, _options.Table);
        var client = new ClientOptions { Bootstrap = [.. _options.Bootstrap.Split(',', StringSplitOptions.TrimEntries)], ClientId = "logpipe-verify", AutoCreateTopics = false };
        await using var cluster = new ClusterClient(client, _connector, _time, _random);
        ClusterDescription description = await new AdminClient(cluster).DescribeClusterAsync(cancellation);
        List<PinnedLog> logs = await table.LogsAsync(description.ClusterId, cancellation);
        if (logs.Count == 0)
        {
            _notes.Add($"the ledger of sink {_options.Name} knows nothing of cluster {description.ClusterId}: has the sink run?");
        }
        // Read after the pins: a source that a pinned row points at is there.
        var sources = (await table.SourcesAsync(cancellation)).ToDictionary(s => s.Id);
        foreach (PinnedLog log in logs)
        {
            // Rows of a log that was deleted may stand for records that the topic's new log was sent again.
            if ((await cluster.TopicAsync(log.Topic, refresh: true, cancellation)).TopicId != log.TopicId)
            {
                _madeAnew.Add(log.Topic);
            }
        }
        long compared = 0L;
        foreach (PinnedLog log in logs)
        {
            compared += await CompareAsync(log, cluster, table, sources, count => progress?.Invoke(compared + count), cancellation);
        }
        FindHoles();
        CheckLedger(sources.Values);
        bool hasAlike = await NoteRepeatsAsync(dialect, table, sources.Values, cancellation);
        List<GenerationSummary> generations = [.. _accounts.Values.Select(a => a.Summary())];
        foreach (GenerationAccount account in _accounts.Values)
        {
            if (account.Shaped > 0)
            {
                string how = account.File is null ? "compared between topic and table" : "held against the file by a checksum of its bytes";
                _notes.Add($"{account.Source.Host}:{account.Source.File}: {account.Shaped} records are not the file's bytes (decoded, unwrapped, joined or redacted) and are {how}");
            }
            account.File?.Dispose();
        }
        return new VerifyReport
        {
            Findings = _findings,
            Generations = generations,
            Notes = _notes,
            HasAlikeGenerations = hasAlike,
            RowsCompared = compared,
        };
    }

    /// <summary>Files whose lines are stored under two identities: to the comparison of topic and table each is whole.</summary>
    /// <returns>True when generations of one agent are alike.</returns>
    private async Task<bool> NoteRepeatsAsync(ISqlDialect dialect, TableSide side, IReadOnlyCollection<TableSource> sources, CancellationToken cancellation)
    {
        TableName table = _options.Table;
        var repeats = new Repeats(dialect, side, table);
        foreach (RepeatedRows again in await repeats.ReadAgainAsync(sources, cancellation))
        {
            _notes.Add($"{again}: --repair removes them");
        }
        List<RepeatedRows> alikes = await new AlikeGenerations(side, repeats, table).FindAsync(sources, cancellation);
        foreach (RepeatedRows alike in alikes)
        {
            _notes.Add($"{alike.Host}:{alike.File} from byte {alike.From} to the line at {alike.To}: all {alike.Rows} rows of generation {alike.Generation} equal those of an earlier one. "
                + "Either the file was written again with the same lines, or one file was taken for two and they are stored twice; nothing here tells which, and --repair leaves them");
        }
        return alikes.Count > 0;
    }

    private async Task<long> CompareAsync(
        PinnedLog log, ClusterClient cluster, TableSide table, Dictionary<int, TableSource> sources, Action<long> progress, CancellationToken cancellation)
    {
        var partition = new TopicPartition(log.Topic, log.Partition);
        TopicMetadata topic = await cluster.TopicAsync(log.Topic, refresh: true, cancellation);
        if (topic.TopicId != log.TopicId)
        {
            _notes.Add($"{partition}: the topic was deleted since (its id is another): its rows cannot be compared");
            _shortened.Add(log.Topic);
            return 0;
        }
        var admin = new AdminClient(cluster);
        long start = (await admin.OffsetAsync(partition, OffsetSpec.Earliest, cancellation)).Offset;
        long end = Math.Min(log.NextOffset, (await admin.OffsetAsync(partition, OffsetSpec.Latest, cancellation)).Offset);
        if (end < log.NextOffset)
        {
            _notes.Add($"{partition}: the topic ends at {end}, below the ledger's {log.NextOffset}: its tail was lost");
        }
        if (start > 0)
        {
            _notes.Add($"{partition}: offsets below {start} are gone from the topic (retention): their rows were compared with themselves alone");
            _shortened.Add(log.Topic);
        }
        var unstored = new StoredRanges();
        foreach ((long from, long to, string reason) in await table.GapsAsync(log.Id, cancellation))
        {
            unstored.Add(from, to);
            _notes.Add(reason == LedgerGap.LeftOut ? $"{partition}: offsets {from} to {to - 1} were left out by a rebuild"
                : $"{partition}: offsets {from} to {to - 1} were gone before the sink came (recorded as a gap)");
        }
        await using IAsyncEnumerator<TableRow> rows = table.RowsAsync(log, cancellation).GetAsyncEnumerator(cancellation);
        HashSet<long> letters = await table.DeadLettersAsync(log.Id, cancellation);
        StoredRanges repaired = await table.RepairsAsync(log.Id, cancellation);
        if (repaired.Total > 0)
        {
            _notes.Add($"{partition}: {repaired.Total} rows were removed by repairs");
        }
        foreach ((long from, long to) in unstored.Ranges)
        {
            repaired.Add(from, to);
        }
        var comparison = new LogComparison(log, rows, letters, repaired, sources, _accounts, _files, _findings, _notes);
        await comparison.StartAsync(start);
        comparison.Expired = await table.ExpiredAsync(log.Id, cancellation);
        if (start < end)
        {
            await WalkTopicAsync(partition, start, end, cluster, comparison, progress, cancellation);
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
        _notes.Add($"{partition}: retention took {expired.Rows} rows with {expired.Bytes} bytes, of offsets {first} to {last}; {agrees}");
        if (records == expired.Rows && bytes != expired.Bytes && first >= start)
        {
            _findings.Add(new Finding(FindingSide.TableDiffers, partition.Topic, partition.Partition, first, null, null, null,
                $"{partition}: the {expired.Rows} rows that retention took had {expired.Bytes} bytes, and the topic's records of those offsets have {bytes}"));
        }
    }

    private async Task WalkTopicAsync(
        TopicPartition partition, long start, long end, ClusterClient cluster, LogComparison comparison, Action<long> progress, CancellationToken cancellation)
    {
        await using var consumer = new Consumer(
            new ConsumerOptions { OffsetReset = OffsetReset.Earliest, PartitionBytesMax = 8 << 20 }, cluster, _time, new Random(_random.Next()));
        consumer.Assign([partition]);
        consumer.Seek(partition, start);
        using var collector = new RowCollector();
        using var records = new RowBatch();
        var unreadable = new List<UnreadableBatch>();
        long next = start;
        while (next < end)
        {
            using FetchedBatches fetched = await consumer.PollBatchesAsync(cancellation);
            foreach (PartitionBatches batches in fetched.Partitions)
            {
                Collected collected = collector.Collect(partition, batches.Batches.Span, next, records, unreadable);
                if (collected.Failure is { } failure)
                {
                    throw failure;
                }
                next = collected.NextOffset;
                await comparison.AddAsync(records, end);
                records.Clear();
                progress(comparison.Compared);
            }
        }
    }

    /// <summary>Within a generation the topic's ranges touch: a hole is a lost record, unless retention took it.</summary>
    private void FindHoles()
    {
        foreach ((SourceKey key, GenerationAccount? account) in _accounts)
        {
            IReadOnlyList<FileRange> ranges = account.InTopic.Ranges;
            if (ranges.Count < 2)
            {
                continue;
            }
            (long from, long to) = (ranges[0].End, ranges[1].Begin);
            string text = $"{account.Source.Host}:{account.Source.File} bytes {from} to {to - 1} are in no record of {key.Topic} ({ranges.Count - 1} holes in generation {key.GenerationText})";
            if (_shortened.Contains(key.Topic))
            {
                _notes.Add($"{text}; the topic no longer holds all it had");
            }
            else
            {
                _findings.Add(new Finding(FindingSide.TopicMissing, key.Topic, -1, -1, account.Source.Host, account.Source.File, from, text));
            }
        }
    }

    private void CheckLedger(IEnumerable<TableSource> sources)
    {
        foreach (TableSource source in sources)
        {
            if (!_accounts.TryGetValue(source.Key, out GenerationAccount? account))
            {
                continue;
            }
            var wrong = account.InTable.Ranges.Where(r => !source.Stored.Contains(r.Begin, r.End)).Take(1).ToList();
            if (wrong.Count > 0)
            {
                _findings.Add(new Finding(
                    FindingSide.LedgerDiffers, source.Key.Topic, -1, -1, source.Host, source.File, wrong[0].Begin,
                    $"{source.Host}:{source.File} bytes {wrong[0].Begin} to {wrong[0].End - 1} have rows, but logpipe_sources does not count them as stored"));
            }
        }
    }
}
