using LogPipeline.Files;
using LogPipeline.Protocol.Compression;
using LogPipeline.Storage.Verification;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

public sealed class VerificationTests
{
    private readonly TestNode _node = new() { JournalAppendBytesMax = 4096 };

    // Of another process than the one that wrote.
    private MemoryFileSystem Files => new(_node.Disk);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Log_that_is_as_it_was_written_has_no_fault(bool clean)
    {
        await WriteAsync(clean);
        using DirectoryCheck check = Check();
        Assert.Empty(check.Faults());
        Assert.Equal((1, 3, 40, 120), (check.Totals.Partitions, check.Totals.Segments, check.Totals.Batches, check.Totals.Records));
        Assert.Equal(check.Totals.BytesInAll, check.Totals.Bytes);
    }

    [Theory]
    [InlineData(0, 62)] // within the first batch's records
    [InlineData(0, 3)] // its base offset
    [InlineData(0, 15)] // its leader epoch, which no checksum covers
    public async Task Flipped_bit_of_a_batch_is_told_with_file_and_position(long baseOffset, long position)
    {
        await WriteAsync(clean: true);
        _node.Disk.Corrupt(_node.LogFile(baseOffset), position, 1);
        LogFault fault = First();
        Assert.Equal((_node.LogFile(baseOffset), true), (fault.File, fault.Position <= position));
    }

    [Fact]
    public async Task Every_flipped_bit_of_a_segment_is_found()
    {
        await WriteAsync(clean: true);
        long length = Files.Stat(_node.LogFile())!.Value.Length;
        var random = new Random(5);
        for (int i = 0; i < 200; i++)
        {
            (long position, byte mask) = (random.NextInt64(length), (byte)(1 << random.Next(8)));
            _node.Disk.Corrupt(_node.LogFile(), position, mask);
            using (DirectoryCheck check = Check())
            {
                Assert.True(check.Faults().Any(), $"bit {mask} at {position} was not found");
            }
            _node.Disk.Corrupt(_node.LogFile(), position, mask); // flips it back
        }
    }

    [Fact]
    public async Task All_faults_are_found_behind_the_first()
    {
        await WriteAsync(clean: true);
        long[] bases = Bases();
        _node.Disk.Corrupt(_node.LogFile(bases[0]), 70, 1);
        _node.Disk.Corrupt(_node.LogFile(bases[1]), 70, 1);
        using DirectoryCheck check = Check();
        Assert.Equal([_node.LogFile(bases[0]), _node.LogFile(bases[1])], check.Faults().Select(static fault => fault.File).Distinct());
        Assert.Equal(38, check.Totals.Batches);
    }

    [Theory]
    [InlineData(".index", 7)]
    [InlineData(".index", 2)]
    [InlineData(".timeindex", 7)]
    [InlineData(".timeindex", 11)]
    public async Task Index_that_does_not_agree_with_its_batches_is_told(string suffix, long position)
    {
        await WriteAsync(clean: true);
        string path = _node.LogFile().Replace(".log", suffix, StringComparison.Ordinal);
        _node.Disk.Corrupt(path, position, 1);
        Assert.Equal(path, First().File);
    }

    [Theory]
    [InlineData("web_log-0/leader-epoch-checkpoint", 0)]
    [InlineData("web_log-0/partition.metadata", 13)]
    [InlineData("recovery-point-offset-checkpoint", 0)]
    [InlineData("broker.checkpoint", 12)]
    [InlineData("meta.properties", 11)]
    public async Task Damaged_small_file_is_told(string name, long position)
    {
        await WriteAsync(clean: true);
        Assert.True(Files.FileExists($"{TestNode.Root}/{name}"), name);
        _node.Disk.Corrupt($"{TestNode.Root}/{name}", position, 0x11);
        Assert.Equal($"{TestNode.Root}/{name}", First().File);
    }

    [Fact]
    public async Task Empty_cleaner_checkpoint_is_one_that_Kafka_made_and_did_not_fill()
    {
        await WriteAsync(clean: true);
        using (IFile file = Files.Open($"{TestNode.Root}/cleaner-offset-checkpoint", FileOpenMode.ReadWrite))
        {
            file.SetLength(0);
        }
        using (DirectoryCheck check = Check())
        {
            Assert.Empty(check.Faults());
        }
        Assert.Equal(120, _node.StartLog().LogEndOffset);
    }

    [Fact]
    public async Task Damaged_producer_snapshot_is_told()
    {
        await WriteAsync(clean: true);
        string snapshot = Files.List($"{TestNode.Root}/web_log-0").Select(static entry => entry.Name).Last(static name => name.EndsWith(".snapshot", StringComparison.Ordinal));
        _node.Disk.Corrupt($"{TestNode.Root}/web_log-0/{snapshot}", 8, 1);
        Assert.EndsWith(snapshot, First().File, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Segment_that_is_gone_leaves_a_gap()
    {
        await WriteAsync(clean: true);
        long[] bases = Bases();
        Files.Delete(_node.LogFile(bases[1]));
        LogFault fault = First();
        Assert.Equal((_node.LogFile(bases[2]), 0L), (fault.File, fault.Position));
        Assert.Contains($"ends at offset {bases[1]}", fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_that_lost_its_end_is_told_by_the_checkpoint()
    {
        await WriteAsync(clean: true);
        using (IFile file = Files.Open(_node.LogFile(Bases()[^1]), FileOpenMode.ReadWrite))
        {
            file.SetLength(0);
        }
        using DirectoryCheck check = Check();
        Assert.Contains(check.Faults(), static fault => fault.Reason.Contains("ends at offset", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tail_that_a_crash_tore_is_no_fault_and_a_flipped_bit_there_is_one()
    {
        await WriteAsync(clean: false);
        string active = _node.LogFile(Bases()[^1]);
        using (IFile file = Files.Open(active, FileOpenMode.ReadWrite))
        {
            file.SetLength(file.Length - 5);
        }
        using (DirectoryCheck check = Check())
        {
            Assert.Empty(check.Faults());
            Assert.True(check.Totals.TornBytes > 0);
        }
        _node.Disk.Corrupt(active, 70, 1);
        Assert.Equal((active, 0L), (First().File, First().Position));
    }

    [Fact]
    public async Task Directory_in_use_and_one_of_something_else_are_refused()
    {
        await WriteAsync(clean: true);
        _node.StartLog();
        Assert.Throws<DirectoryLockedException>(() => DirectoryCheck.Open(_node.Files, TestNode.Root));
        Assert.Throws<InvalidDataException>(() => DirectoryCheck.Open(_node.Files, "/elsewhere"));
    }

    private async Task WriteAsync(bool clean)
    {
        _node.Options = _node.Options with { SegmentBytes = 2600, IndexIntervalBytes = 400 };
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 40; i++)
        {
            CompressionCodec codec = i % 4 == 1 ? CompressionCodec.Gzip : CompressionCodec.None;
            log.Append(TestBatches.Make(3, 9, 1, i * 3, timestamp: 1000 + (i * 10), codec: codec));
        }
        await log.FlushedAsync(log.LogEndOffset);
        if (clean)
        {
            await _node.Directory.CloseAsync();
            _node.Directory.Dispose();
        }
        _node.Kill();
    }

    private DirectoryCheck Check() => DirectoryCheck.Open(Files, TestNode.Root);

    private LogFault First()
    {
        using DirectoryCheck check = Check();
        return check.Faults().First();
    }

    private long[] Bases() =>
    [
        .. Files.List($"{TestNode.Root}/web_log-0").Select(static entry => entry.Name).Where(static name => name.EndsWith(".log", StringComparison.Ordinal))
            .Select(static name => long.Parse(name.AsSpan(0, 20), System.Globalization.CultureInfo.InvariantCulture)),
    ];
}
