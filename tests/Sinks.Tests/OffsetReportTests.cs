using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Sinks.Tests;

/// <summary>What the group's offsets tell a lag display.</summary>
public sealed class OffsetReportTests
{
    private static readonly TopicPartition Partition = new("web_log", 0);

    [Fact]
    public async Task A_quiet_partition_whose_last_report_was_lost_is_reported_when_it_is_claimed()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, Enumerable.Range(0, 10).Select(n => $"line {n}"));
        await SinkScene.RunAsync(options, 10);
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = [scene.Bootstrap] }, new TcpConnector(), TimeProvider.System, new Random(1));
        await using var group = new Consumer(new ConsumerOptions { Group = options.Name }, cluster, TimeProvider.System, new Random(2));
        CommitPoint stored = (await group.CommittedAsync([Partition], default))[Partition];
        Assert.Equal(10, stored.Offset);
        await group.CommitAsync(new SortedDictionary<TopicPartition, CommitPoint> { [Partition] = stored with { Offset = 3 } }, default);
        await SinkScene.RunAsync(options, async () => (await group.CommittedAsync([Partition], default))[Partition].Offset, 10);
    }
}
