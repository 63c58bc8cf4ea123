using System.Runtime.CompilerServices;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query.Live;

/// <summary>
/// Follows a sink's topics from the broker: first rows that are stored, then, from the first offset on that the ledger did not count as stored at that
/// moment, records as they come. So there is no gap and no repeat, and nothing waits for the sink.
/// </summary>
internal sealed class LiveTail
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5); // for a broker that may be away
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly SinkOptions _options;
    private readonly SqlLogReader _rows;
    private readonly ISqlDialect _dialect;
    private readonly TableName _table;
    private readonly ILineParser _parser;
    private readonly TimeProvider _time;

    public LiveTail(SinkOptions options, ISqlDialect dialect, TableName table, ILineParser parser, SqlLogReader rows, TimeProvider time)
        => (_options, _dialect, _table, _parser, _rows, _time) = (options, dialect, table, parser, rows, time);

    /// <param name="filter">Which rows.</param>
    /// <param name="last">Begin with so many that are stored.</param>
    /// <param name="connector">Reaches the broker.</param>
    /// <param name="random">For the client's back-off.</param>
    /// <param name="cancellation">The only end.</param>
    /// <exception cref="BrokerUnreachableException">Before the first row: no broker answers.</exception>
    public async IAsyncEnumerable<LogRow> RunAsync(
        LogQuery filter, int last, IConnector connector, Random random, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var client = new ClientOptions
        {
            Bootstrap = [.. _options.Bootstrap.Split(',', StringSplitOptions.TrimEntries)],
            ClientId = "logpipe-tail",
            ConnectTimeout = Patience,
            LookupTimeout = Patience,
            AutoCreateTopics = false,
        };
        await using var cluster = new ClusterClient(client, connector, _time, random);
        ClusterDescription description = await new AdminClient(cluster).DescribeClusterAsync(cancellation);
        IReadOnlyList<LedgerEnd> ends = await new LedgerEnds(_dialect, _options.Name, _table).ReadAsync(cancellation);
        Dictionary<TopicPartition, LedgerEnd?> logs = await LogsAsync(cluster, description.ClusterId, ends, cancellation);
        foreach (LogRow row in await new Tail(_dialect, _options.Name, _table, _time, _rows).RecentAsync(filter, last, ends, cancellation))
        {
            yield return row;
        }
        // A partition that the sink has never claimed begins where the sink will begin.
        OffsetReset reset = _options.StartFrom == "latest" ? OffsetReset.Latest : OffsetReset.Earliest;
        await using var consumer = new Consumer(new ConsumerOptions { OffsetReset = reset, PrefetchBytes = 4 << 20 }, cluster, _time, random);
        consumer.Assign([.. logs.Keys]);
        foreach ((TopicPartition partition, LedgerEnd? end) in logs)
        {
            if (end is not null)
            {
                consumer.Seek(partition, end.Next);
            }
        }
        await foreach (LogRow row in RecordsAsync(consumer, logs, cancellation))
        {
            if (IsWanted(row, filter))
            {
                yield return row;
            }
        }
    }

    private static bool IsWanted(LogRow row, LogQuery filter) =>
        !(row.Time < filter.From) && !(row.Time >= filter.To) && (filter.Filter is null || RowMatch.Matches(filter.Filter, row));

    /// <summary>The partitions of the sink's topics, with the ledger's rows for those that it has claimed.</summary>
    private async Task<Dictionary<TopicPartition, LedgerEnd?>> LogsAsync(ClusterClient cluster, string clusterId, IReadOnlyList<LedgerEnd> ends, CancellationToken cancellation)
    {
        var logs = new Dictionary<TopicPartition, LedgerEnd?>();
        TopicSelection topics = TopicPatterns.Of(_options.Topics);
        IReadOnlyList<TopicMetadata> all = topics.Pattern is null ? [] : await new AdminClient(cluster).ListTopicsAsync(cancellation);
        foreach (string name in topics.Among(all.Where(topic => !topic.IsInternal).Select(topic => topic.Name)))
        {
            TopicMetadata topic = await cluster.TopicAsync(name, refresh: true, cancellation);
            foreach (PartitionMetadata partition in topic.Partitions)
            {
                logs[new TopicPartition(name, partition.Index)] = ends.FirstOrDefault(
                    end => end.ClusterId == clusterId && end.TopicId == topic.TopicId && end.Topic == name && end.Partition == partition.Index);
            }
        }
        return logs;
    }

    private async IAsyncEnumerable<LogRow> RecordsAsync(
        Consumer consumer, Dictionary<TopicPartition, LedgerEnd?> logs, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var collector = new RowCollector();
        using var batch = new RowBatch();
        var rows = new LiveRows(_parser);
        var filter = SinkFilter.Of(_parser);
        var again = new SentAgain(_dialect, _options.Name, _table);
        var unreadable = new List<UnreadableBatch>(); // the sink keeps them as dead letters
        while (true)
        {
            using FetchedBatches? fetched = await PollAsync(consumer, cancellation);
            foreach (PartitionBatches batches in fetched?.Partitions ?? [])
            {
                batch.Clear();
                unreadable.Clear();
                Collected collected = collector.Collect(batches.Partition, batches.Batches.Span, batches.FetchOffset, batch, unreadable);
                batch.Parse(_parser);
                filter?.Apply(batch);
                for (int i = 0; i < batch.Count; i++)
                {
                    if (batch.Rows[i].State == RowState.Store && !await again.IsRepeatAsync(logs[batches.Partition]?.Id, batch, batch.Rows[i], cancellation))
                    {
                        yield return rows.Make(batches.Partition, batch, i);
                    }
                }
                if (collected.Failure is { } failure)
                {
                    throw failure;
                }
            }
        }
    }

    /// <summary>Null when no broker answered for a while; it is asked again after a pause.</summary>
    private async Task<FetchedBatches?> PollAsync(Consumer consumer, CancellationToken cancellation)
    {
        try
        {
            return await consumer.PollBatchesAsync(cancellation);
        }
        catch (IOException)
        {
            await Task.Delay(Pause, _time, cancellation);
            return null;
        }
    }
}
