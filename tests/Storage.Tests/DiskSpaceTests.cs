using LogPipeline.Protocol;

namespace LogPipeline.Storage.Tests;

/// <summary>A disk that is nearly full refuses producers in time, and nobody else.</summary>
public sealed class DiskSpaceTests
{
    private readonly TestNode _node = new() { ReservedBytes = 100_000 };

    [Fact]
    public async Task Producers_are_refused_before_the_disk_is_full_and_served_when_there_is_room_again()
    {
        PartitionLog log = _node.StartLog();
        _node.Disk.Capacity = _node.Disk.UsedBytes + 150_000;
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(2, 9, 0, 0)).Error);
        AppendResult result = default;
        int sequence = 2;
        for (; sequence < 20_000 && result.Error == ErrorCode.None; sequence += 2)
        {
            result = log.Append(TestBatches.Make(2, 9, 0, sequence));
        }
        Assert.Equal(ErrorCode.KafkaStorageError, result.Error);
        Assert.True(_node.Directory.IsShortOfSpace);
        Assert.InRange(_node.Disk.Capacity - _node.Disk.UsedBytes, 30_000, 100_000);
        Assert.True(log.Append(TestBatches.Make(2, 9, 0, sequence - 4)).Duplicate); // a repeat takes no room
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(1), AppendOrigin.Broker).Error);
        await log.FlushedAsync(log.LogEndOffset);
        _node.Disk.Capacity = long.MaxValue;
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(2, 9, 0, sequence - 2)).Error);
        Assert.False(_node.Directory.IsShortOfSpace);
        Assert.Single(_node.Logger.Lines, line => line.Contains("producers are refused until there is room again", StringComparison.Ordinal));
    }

    [Fact]
    public void The_reserve_is_held_by_a_file_and_given_up_by_a_start_on_a_full_disk()
    {
        _node.StartLog();
        Assert.True(_node.Files.FileExists(TestNode.Root + "/reserved.space"));
        _node.Kill();
        _node.Disk.Capacity = _node.Disk.UsedBytes + 90_000;
        Assert.Single(_node.Start().Logs);
        Assert.False(_node.Files.FileExists(TestNode.Root + "/reserved.space"));
        _node.Kill();
        _node.Disk.Capacity = long.MaxValue;
        _node.Start();
        Assert.True(_node.Files.FileExists(TestNode.Root + "/reserved.space"));
    }
}
