using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Storage;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Broker.Tests.Partitions;

/// <summary>What may be acknowledged and shown of a log, by flush policy, in-sync set and role.</summary>
public sealed class PartitionTests
{
    private const int Node = 1;
    private static readonly Guid Id = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");

    private readonly List<TaskCompletionSource> _flushes = [];
    private readonly MemoryFileSystem _files = new(new MemoryDisk(new ManualTime()));
    private DataDirectory _directory = null!;

    [Fact]
    public async Task Acks_and_readers_see_what_is_durable_and_no_more()
    {
        Partition partition = Open(FlushPolicy.Group, PartitionState.Single(Node, 5));
        Task ack = Append(partition);
        var signal = new ReadSignal();
        partition.Readers.Add(signal);
        Assert.False(ack.IsCompleted);
        Assert.Equal((0, 0, 0), (partition.HighWatermark, partition.LastStableOffset, Length(partition)));
        _flushes[0].SetResult();
        await ack;
        Assert.True(signal.Task.IsCompleted);
        Assert.Equal((2, 2), (partition.HighWatermark, partition.LastStableOffset));
        Assert.True(Length(partition) > 0);
    }

    [Fact]
    public void Under_os_what_is_written_counts_at_once()
    {
        Partition partition = Open(FlushPolicy.Os, PartitionState.Single(Node, 5));
        var signal = new ReadSignal();
        partition.Readers.Add(signal);
        Assert.True(Append(partition).IsCompletedSuccessfully);
        Assert.True(signal.Task.IsCompleted);
        Assert.Equal(2, partition.HighWatermark);
        Assert.True(Length(partition) > 0);
    }

    [Fact]
    public async Task The_high_watermark_is_what_every_in_sync_replica_has()
    {
        Partition partition = Open(FlushPolicy.Group, new PartitionState(Node, 5, 0, [Node, 2, 3], [Node, 2]));
        Task ack = Append(partition);
        _flushes[0].SetResult();
        Assert.False(ack.IsCompleted);
        partition.ReplicaReached(2, 1);
        Assert.Equal(1, partition.HighWatermark);
        Assert.False(ack.IsCompleted);
        partition.ReplicaReached(2, 2);
        await ack;
        partition.ReplicaReached(2, 0); // a replica that began anew takes nothing back
        Assert.Equal(2, partition.HighWatermark);
    }

    [Fact]
    public async Task Acks_of_a_log_that_goes_offline_fail()
    {
        Partition partition = Open(FlushPolicy.Group, PartitionState.Single(Node, 5));
        Task waiting = Append(partition);
        partition.Retire();
        await Assert.ThrowsAsync<LogOfflineException>(() => waiting);
        await Assert.ThrowsAsync<LogOfflineException>(async () => await partition.CommittedAsync(2));
        Assert.Equal(ErrorCode.KafkaStorageError, partition.Append(Ask.Batch(1), AppendOrigin.Client).Error);
    }

    [Fact]
    public async Task Producers_are_told_once_they_are_committed()
    {
        Partition partition = Open(FlushPolicy.Group, PartitionState.Single(Node, 5));
        partition.Append(Ask.Batch(2, 9, 0, 0), AppendOrigin.Client);
        Task<IReadOnlyList<ProducerState>> asked = partition.ProducersAsync(CancellationToken.None).AsTask();
        Assert.False(asked.IsCompleted);
        _flushes[0].SetResult();
        Assert.Equal((9, 1), ((await asked)[0].ProducerId, (await asked)[0].LastSequence));
    }

    [Fact]
    public void A_leader_tells_clients_with_another_epoch_apart()
    {
        Partition partition = Open(FlushPolicy.Os, PartitionState.Single(Node, 5));
        Append(partition);
        Assert.Equal(PartitionRole.Leader, partition.Role);
        Assert.Equal(
            [ErrorCode.None, ErrorCode.FencedLeaderEpoch, ErrorCode.None, ErrorCode.UnknownLeaderEpoch],
            new[] { -1, 4, 5, 6 }.Select(partition.CheckLeader));
        Assert.Equal([(-1, -1L), (4, 0L), (5, 2L), (-1, -1L)], new[] { -1, 4, 5, 6 }.Select(partition.EndOffsetForEpoch));
    }

    [Fact]
    public void A_follower_refers_clients_to_the_leader()
    {
        Partition partition = Open(FlushPolicy.Group, new PartitionState(2, 5, 0, [Node, 2], [2]));
        Assert.Equal(PartitionRole.Follower, partition.Role);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, partition.CheckLeader(5));
        Assert.Equal(ErrorCode.NotLeaderOrFollower, partition.Append(Ask.Batch(1), AppendOrigin.Client).Error);
    }

    [Fact]
    public async Task A_partition_whose_log_cannot_be_opened_is_offline()
    {
        var partition = new Partition(new OfflineLog("t", Id, 3, null, "00000000000000000000.log is damaged"), Node, PartitionState.Single(Node, 5));
        Assert.Equal(("t", Id, 3, PartitionRole.Offline), (partition.Topic, partition.TopicId, partition.Number, partition.Role));
        Assert.Equal(ErrorCode.KafkaStorageError, partition.CheckLeader(-1));
        Assert.Equal(ErrorCode.KafkaStorageError, partition.Append(Ask.Batch(1), AppendOrigin.Client).Error);
        LogOfflineException told = await Assert.ThrowsAsync<LogOfflineException>(async () => await partition.CommittedAsync(1));
        Assert.Contains("00000000000000000000.log is damaged", told.Message, StringComparison.Ordinal);
        partition.Retire();
    }

    private Partition Open(FlushPolicy flush, PartitionState state)
    {
        var time = new ManualTime();
        _directory = DataDirectory.Open(_files, "/data", new DataDirectoryOptions(), time, new Random(1), NullLogger.Instance);
        var partition = new Partition(_directory.Create("t", Id, 0, 1, new PartitionLogOptions { Flush = flush })[0], Node, state);
        _files.FlushDelay = _ =>
        {
            _flushes.Add(new TaskCompletionSource());
            return _flushes[^1].Task;
        };
        return partition;
    }

    private static Task Append(Partition partition)
    {
        AppendResult result = partition.Append(Ask.Batch(2), AppendOrigin.Client);
        Assert.Equal((ErrorCode.None, 1), (result.Error, result.LastOffset));
        return partition.CommittedAsync(result.LastOffset + 1).AsTask();
    }

    private static int Length(Partition partition)
    {
        Assert.Equal(ErrorCode.None, partition.Read(0, 1 << 20, true, out LogSlice slice));
        return slice.Length;
    }
}
