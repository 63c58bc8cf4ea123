using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Workers;

namespace LogPipeline.Sinks.Tests;

/// <summary>How much a sink buffers, and when it stops polling.</summary>
public sealed class RowBuffersTests
{
    private const int Budget = 64 << 10;

    private readonly PartitionSink[] _sinks = [Sink(0), Sink(1)];

    /// <summary>Runs a test on a consumer of both partitions, which asks no broker.</summary>
    private async Task RunAsync(long flushBytes, Action<RowBuffers> test)
    {
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["127.0.0.1:1"] }, new TcpConnector(), TimeProvider.System, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions(), cluster, TimeProvider.System, new Random(2));
        consumer.Assign([.. _sinks.Select(s => s.Partition)]);
        using var buffers = new RowBuffers(consumer, flushBytes, Budget);
        test(buffers);
    }

    private static PartitionSink Sink(int partition)
    {
        var log = new LogIdentity("web", "cluster", Guid.Empty, "web_log", partition);
        return new PartitionSink(new TopicPartition("web_log", partition), default) { Claim = new Claim(new LedgerEntry(1, log, 0, 0, default), default) };
    }

    private static byte[] EmptyLines(int count)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        for (int i = 0; i < count; i++)
        {
            Assert.True(builder.TryAppend(1_700_000_000_000, []));
        }
        return builder.Build().ToArray();
    }

    [Fact]
    public Task Empty_lines_fill_the_budget_of_all_partitions_and_polling_goes_on_when_a_flush_has_ended() => RunAsync(flushBytes: 1 << 20, buffers =>
    {
        buffers.Collect(_sinks[0], EmptyLines(100));
        buffers.HoldBack(_sinks);
        Assert.All(_sinks, sink => Assert.False(sink.IsHeldBack));
        buffers.Collect(_sinks[0], EmptyLines(2000));
        buffers.HoldBack(_sinks);
        Assert.All(_sinks, sink => Assert.True(sink.IsHeldBack && buffers.IsDue(sink)));
        FlushWork work = buffers.Take(_sinks[0]);
        buffers.HoldBack(_sinks);
        Assert.All(_sinks, sink => Assert.True(sink.IsHeldBack));
        buffers.PutBack(work.Rows);
        buffers.HoldBack(_sinks);
        Assert.All(_sinks, sink => Assert.False(sink.IsHeldBack || buffers.IsDue(sink)));
    });

    [Fact]
    public Task A_partition_that_is_full_waits_for_its_own_flush_and_what_is_discarded_counts_no_more() => RunAsync(flushBytes: 1024, buffers =>
    {
        _sinks[0].IsFlushing = true;
        buffers.Collect(_sinks[0], EmptyLines(100));
        buffers.HoldBack(_sinks);
        Assert.Equal([true, false], _sinks.Select(sink => sink.IsHeldBack));
        _sinks[0].IsFlushing = false;
        buffers.HoldBack(_sinks);
        Assert.Equal([false, false], _sinks.Select(sink => sink.IsHeldBack));
        Assert.True(buffers.IsDue(_sinks[0]));
        buffers.Collect(_sinks[1], EmptyLines(2000));
        buffers.Discard(_sinks[1]);
        buffers.Discard(_sinks[0]);
        buffers.HoldBack(_sinks);
        Assert.All(_sinks, sink => Assert.False(sink.IsHeldBack || buffers.IsDue(sink)));
    });
}
