using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// The topic's records, and what they are held against wherever the sink stores: the files that they came from, and themselves, since the
/// ranges of a generation touch and none comes twice. Collects the findings and notes of a verification.
/// </summary>
internal sealed class TopicSide(ClusterClient cluster, IFileSystem files, TimeProvider time, Random random, string? statusTopic)
{
    private readonly AdminClient _admin = new(cluster);
    private readonly HashSet<string> _shortened = [];
    private readonly HashSet<string> _compared = [];

    public List<Finding> Findings { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>What each generation came to.</summary>
    public SortedDictionary<SourceKey, GenerationAccount> Generations { get; } = [];

    public async Task<bool> WasMadeAnewAsync(PinnedLog log, CancellationToken cancellation) =>
        (await cluster.TopicAsync(log.Topic, refresh: true, cancellation)).TopicId != log.TopicId;

    /// <summary>Notes what the sink has not stored yet: what is compared ends where the sink is.</summary>
    public async Task NoteBacklogAsync(SinkOptions options, IReadOnlyList<PinnedLog> logs, CancellationToken cancellation)
    {
        IReadOnlyList<UnstoredOffsets> unstored = await new Backlog(cluster, options).FindAsync(logs, before: null, cancellation);
        foreach (IGrouping<string, UnstoredOffsets> behind in unstored.GroupBy(offsets => offsets.Partition.Topic))
        {
            UnstoredOffsets most = behind.MaxBy(offsets => offsets.Count);
            string rest = behind.Count() == 1 ? "" : $", farthest behind of {behind.Count()} partitions";
            Notes.Add($"{behind.Sum(offsets => offsets.Count)} records of {behind.Key} are not stored yet: sink {options.Name} is at offset {most.From} of {most.Partition}, which ends at {most.To}{rest}");
        }
    }

    /// <summary>The offsets that can be compared: what the topic has below the ledger's next offset. Null when the topic was deleted since.</summary>
    public async Task<(long Start, long End)?> ExtentAsync(PinnedLog log, CancellationToken cancellation)
    {
        TopicPartition partition = log.TopicPartition;
        if (await WasMadeAnewAsync(log, cancellation))
        {
            Notes.Add($"{partition}: the topic was deleted since (its id is another): its rows cannot be compared");
            _shortened.Add(log.Topic);
            return null;
        }
        _compared.Add(log.Topic);
        long start = (await _admin.OffsetAsync(partition, OffsetSpec.Earliest, cancellation)).Offset;
        long end = Math.Min(log.NextOffset, (await _admin.OffsetAsync(partition, OffsetSpec.Latest, cancellation)).Offset);
        if (end < log.NextOffset)
        {
            Notes.Add($"{partition}: the topic ends at {end}, below the ledger's {log.NextOffset}: its tail was lost");
        }
        if (start > 0)
        {
            Notes.Add($"{partition}: offsets below {start} are gone from the topic (retention): their rows are not compared with it");
            _shortened.Add(log.Topic);
        }
        return (start, end);
    }

    /// <summary>Walks records from one offset to another, batch by batch; a batch may hold records beyond the end.</summary>
    /// <exception cref="LogUnreadableException">The topic holds a batch that cannot be read.</exception>
    /// <exception cref="StoreRefusedException">Records were removed meanwhile.</exception>
    public async Task WalkAsync(TopicPartition partition, long start, long end, Func<RowBatch, ValueTask> visit, CancellationToken cancellation)
    {
        if (start >= end)
        {
            return;
        }
        await using var consumer = new Consumer(
            new ConsumerOptions { OffsetReset = OffsetReset.None, PartitionBytesMax = 8 << 20 }, cluster, time, new Random(random.Next()));
        consumer.Assign([partition]);
        consumer.Seek(partition, start);
        using var collector = new RowCollector();
        using var records = new RowBatch();
        var unreadable = new List<UnreadableBatch>();
        long next = start;
        while (next < end)
        {
            using FetchedBatches fetched = await PollAsync(consumer, partition, next, cancellation);
            foreach (PartitionBatches batches in fetched.Partitions)
            {
                Collected collected = collector.Collect(partition, batches.Batches.Span, next, records, unreadable);
                if (collected.Failure is { } failure)
                {
                    throw failure;
                }
                next = collected.NextOffset;
                await visit(records);
                records.Clear();
            }
        }
    }

    private static async Task<FetchedBatches> PollAsync(Consumer consumer, TopicPartition partition, long next, CancellationToken cancellation)
    {
        try
        {
            return await consumer.PollBatchesAsync(cancellation);
        }
        catch (Exception error) when (error is PositionOutOfRangeException or LogTruncatedException)
        {
            throw new StoreRefusedException($"{partition}: records from offset {next} on were removed from the topic while they were compared, by its retention or by somebody. Run verify again.", error);
        }
    }

    /// <summary>Adds a record to its generation and looks into the file that it came from; false when its range was in the topic before.</summary>
    public bool Add(PinnedLog log, RowBatch records, int index)
    {
        ref readonly Row record = ref records.Rows[index];
        if (record.Source < 0)
        {
            return true;
        }
        Source source = records.Sources[record.Source];
        if (!Generations.TryGetValue(source.Key, out GenerationAccount? account))
        {
            account = new GenerationAccount(source);
            Generations.Add(source.Key, account);
            if (source.Host == Environment.MachineName)
            {
                account.File = FindFile(source, record, records.Value(record));
            }
        }
        bool isFresh = account.InTopic.Add(record.CoveredBegin, record.CoveredEnd);
        if (!isFresh && (record.Flags & PositionFlags.Again) == 0)
        {
            Report(FindingSide.TopicRepeated, log, record.Offset, source, record.LineBegin, "repeats a range of the file that the topic has already");
        }
        account.Shaped += (record.Flags & PositionFlags.Shaped) != 0 ? 1 : 0;
        if (account.File?.Holds(record, records.Value(record)) == false)
        {
            Report(FindingSide.FileDiffers, log, record.Offset, source, record.LineBegin, $"is not what {account.File.Path} has there");
        }
        return isFresh;
    }

    public void Report(FindingSide side, PinnedLog log, long offset, Source? source, long? fileOffset, string what)
    {
        string place = source is null ? "" : $" ({source.Host}:{source.File} at byte {fileOffset})";
        Findings.Add(new Finding(
            side, log.Topic, log.Partition, offset, source?.Host, source?.File, fileOffset, $"{log.Topic}-{log.Partition} offset {offset}{place} {what}"));
    }

    /// <summary>
    /// Within a generation the topic's ranges touch: a hole is a lost record, unless retention took it. What agents say of lines that they left out
    /// is told with it, or by itself where it leaves no hole, as at a file's end.
    /// </summary>
    public async Task FindHolesAsync(CancellationToken cancellation)
    {
        AgentWords words = await AskAgentsAsync(cancellation);
        foreach ((SourceKey key, GenerationAccount? account) in Generations)
        {
            IReadOnlyList<FileRange> ranges = account.InTopic.Ranges;
            string reason = words.WhyRefused(key);
            string file = $"{account.Source.Host}:{account.Source.File}";
            if (ranges.Count > 1)
            {
                (long from, long to) = (ranges[0].End, ranges[1].Begin);
                AddMissing(account.Source, from, $"{file} bytes {from} to {to - 1} are in no record of {key.Topic} ({ranges.Count - 1} holes in generation {key.GenerationText}){(reason.Length > 0 || words.Knows(key.AgentId) ? reason : AgentWords.Silent)}");
            }
            else if (reason.Length > 0 && words.LeftOut[key].Lines is var said && !account.InTopic.Contains(said.Begin, said.Acked))
            {
                AddMissing(account.Source, ranges is [FileRange all] ? all.End : 0, $"{file} has lines that are in no record of {key.Topic}{reason}");
            }
        }
        foreach ((SourceKey key, (AgentReport agent, LeftOutReport lines)) in words.LeftOut.Where(said => _compared.Contains(said.Key.Topic)))
        {
            if (lines.LimitedLines > 0)
            {
                Notes.Add($"{agent.Host}:{lines.FirstPath}: {lines.LimitedLines} lines ({lines.LimitedBytes} bytes) were left out by the agent's rate_limit (policy: drop)");
            }
            if (lines.DeadLetters > 0 && !Generations.ContainsKey(key))
            {
                AddMissing(new Source(key, agent.Host, lines.FirstPath), 0, $"{agent.Host}:{lines.FirstPath} has lines that are in no record of {key.Topic}{words.WhyRefused(key)}");
            }
        }
    }

    private void AddMissing(Source source, long from, string text)
    {
        if (_shortened.Contains(source.Key.Topic))
        {
            Notes.Add($"{text}; the topic no longer holds all it had");
        }
        else
        {
            Findings.Add(new Finding(FindingSide.TopicMissing, source.Key.Topic, -1, -1, source.Host, source.File, from, text));
        }
    }

    private async Task<AgentWords> AskAgentsAsync(CancellationToken cancellation)
    {
        try
        {
            return statusTopic is null ? new AgentWords() : await AgentWords.ReadAsync(cluster, statusTopic, time, new Random(random.Next()), cancellation);
        }
        catch (BrokerErrorException error)
        {
            Notes.Add($"what agents say of lines that they left out cannot be read from {statusTopic}: {error.Message}");
            return new AgentWords();
        }
    }

    /// <summary>Notes how shaped records were compared, and lets go of the files.</summary>
    public void CloseFiles()
    {
        foreach (GenerationAccount account in Generations.Values)
        {
            if (account.Shaped > 0)
            {
                string how = account.File is null ? "compared between topic and sink" : "held against the file by a checksum of its bytes";
                Notes.Add($"{account.Source.Host}:{account.Source.File}: {account.Shaped} records are not the file's bytes (decoded, unwrapped, joined or redacted) and are {how}");
            }
            account.File?.Dispose();
        }
    }

    private FileSide? FindFile(Source source, in Row record, ReadOnlySpan<byte> value)
    {
        try
        {
            return FileSide.Find(files, source.File, record, value);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Notes.Add($"{source.File} is not compared: {error.Message}");
            return null;
        }
    }
}
