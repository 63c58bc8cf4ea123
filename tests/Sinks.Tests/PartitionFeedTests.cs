using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Workers;

namespace LogPipeline.Sinks.Tests;

/// <summary>How much a sink buffers, and when it stops polling.</summary>
public sealed class PartitionFeedTests : IDisposable
{
    private const int Budget = 64 << 10;

    private readonly List<PartitionFeed> _feeds = [];
    private readonly RowCollector _collector = new();
    private readonly SinkPauses _pauses = SinkPauses.None();
    private int _wakes;

    /// <summary>Runs a test on open feeds of two partitions, steered through a consumer that asks no broker.</summary>
    private async Task RunAsync(int flushBytes, Func<Action, Task> test)
    {
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["127.0.0.1:1"] }, new TcpConnector(), TimeProvider.System, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions(), cluster, TimeProvider.System, new Random(2));
        using var pool = new RowPool(Budget);
        for (int partition = 0; partition < 2; partition++)
        {
            _feeds.Add(new PartitionFeed(new TopicPartition("web_log", partition), new FlushOptions { BytesMax = flushBytes },
                new FlushPace(TimeSpan.FromHours(1), TimeProvider.System), pool, TimeProvider.System, () => _wakes++, _pauses));
            Open(partition, 0);
        }
        consumer.Assign([new("web_log", 0), new("web_log", 1)]);
        void Steer() => _feeds.ForEach(feed => feed.Steer(consumer));
        Steer();
        await test(Steer);
    }

    public void Dispose() => _collector.Dispose();

    private void Open(int partition, long offset) =>
        _feeds[partition].Open(new LedgerEntry(1, new LogIdentity("web", "cluster", Guid.Empty, "web_log", partition), offset, 0, default));

    private void AddEmptyLines(int partition, int count, long offset = 0, Guid topicId = default)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        for (int i = 0; i < count; i++)
        {
            Assert.True(builder.TryAppend(1_700_000_000_000, []));
        }
        byte[] batch = builder.Build().ToArray();
        RecordBatch.Stamp(batch, offset, 0);
        _feeds[partition].Add(new PartitionBatches(new("web_log", partition), topicId, offset, offset + count, offset + count, 0, batch), _collector);
    }

    private void AssertPolled(params bool[] expected) => Assert.Equal(expected, _feeds.Select(feed => feed.IsPolled));

    [Fact]
    public Task Empty_lines_fill_the_budget_of_all_partitions_and_polling_goes_on_when_a_flush_has_ended() => RunAsync(flushBytes: 1 << 20, async steer =>
    {
        AddEmptyLines(0, 100);
        steer();
        AssertPolled(true, true);
        FlushWork first = (await _feeds[0].TakeAsync())!; // the first flush waits for nothing
        _feeds[0].Return(first);
        AddEmptyLines(0, 100, offset: 100);
        Task<FlushWork?> taking = _feeds[0].TakeAsync();
        Assert.False(taking.IsCompleted);
        AddEmptyLines(0, 2000, offset: 200);
        steer();
        AssertPolled(false, false);
        _feeds[0].Nudge();
        FlushWork work = (await taking)!;
        Assert.Equal((2100, 2200L), (work.Rows.Count, work.NextOffset));
        steer();
        AssertPolled(false, false);
        int wakes = _wakes;
        _feeds[0].Return(work);
        Assert.True(_wakes > wakes);
        steer();
        AssertPolled(true, true);
    });

    [Fact]
    public Task A_partition_that_is_full_waits_until_its_rows_are_taken_and_what_is_dropped_counts_no_more() => RunAsync(flushBytes: 1024, async steer =>
    {
        AddEmptyLines(0, 100);
        steer();
        AssertPolled(false, true);
        int wakes = _wakes;
        FlushWork work = (await _feeds[0].TakeAsync())!;
        Assert.True(_wakes > wakes);
        steer();
        AssertPolled(true, true);
        AddEmptyLines(0, 100, offset: 100);
        AddEmptyLines(1, 2000);
        steer();
        AssertPolled(false, false);
        _feeds[0].Return(work);
        foreach (int partition in new[] { 0, 1 })
        {
            _feeds[partition].Close();
            Open(partition, 0);
        }
        steer();
        AssertPolled(true, true);
    });

    [Fact]
    public Task What_was_polled_under_another_claim_or_of_another_topic_is_not_taken() => RunAsync(flushBytes: 1024, async steer =>
    {
        AddEmptyLines(0, 100);
        _feeds[0].Close();
        AddEmptyLines(0, 100);
        Open(0, 50);
        AddEmptyLines(0, 100, offset: 50);
        Assert.False(_feeds[0].TakeAsync().IsCompleted);
        steer();
        _feeds[1].Open(new LedgerEntry(1, new LogIdentity("web", "cluster", Guid.NewGuid(), "web_log", 1), 0, 0, default));
        steer();
        AddEmptyLines(1, 100, topicId: Guid.NewGuid());
        await Assert.ThrowsAsync<LogMovedException>(_feeds[1].TakeAsync);
    });
}
