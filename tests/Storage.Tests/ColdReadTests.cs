using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

/// <summary>What a start finds on the disk is checked once before it is served.</summary>
public sealed class ColdReadTests
{
    private const int Batches = 60;

    private readonly TestNode _node = new() { Options = new() { SegmentBytes = 2600, IndexIntervalBytes = 400 } };
    private readonly List<(long Offset, byte[] Bytes)> _written = [];

    [Fact]
    public async Task Flipped_bit_is_never_read_and_all_around_it_is()
    {
        await WriteAsync(codec: CompressionCodec.None);
        await WriteAsync(codec: CompressionCodec.Zstd);
        int offline = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            TestNode node = _node.Copy();
            string[] segments = Segments(node);
            string segment = segments[random.Next(segments.Length)];
            long position = random.NextInt64(node.Files.Stat(segment)!.Value.Length);
            node.Disk.Corrupt(segment, position, (byte)(1 << random.Next(8)));
            if (random.Next(4) == 0)
            {
                new MemoryFileSystem(node.Disk).Delete(Path.ChangeExtension(segment, ".index"));
            }
            node.Start();
            if (node.Directory.OfflineLogs.Count > 0)
            {
                Assert.Equal(segments[^1], segment); // the start itself has found it, where it begins to append
                offline++;
                continue;
            }
            Assert.Empty(Refused(node.Directory.Logs[0], segment, position, random));
        }
        Assert.InRange(offline, 0, 40);
    }

    [Fact]
    public async Task Batch_that_says_it_begins_earlier_does_not_make_a_reader_pass_over_it()
    {
        await WriteAsync(CompressionCodec.None);
        long position = 0;
        foreach ((long offset, byte[] bytes) in _written.TakeWhile(batch => batch.Offset < BaseOf(Segments(_node)[1])))
        {
            if (offset >= 8)
            {
                TestNode node = _node.Copy();
                byte highest = (byte)(1 << System.Numerics.BitOperations.Log2((uint)offset));
                node.Disk.Corrupt(node.LogFile(), position + 7, highest);
                PartitionLog log = node.StartLog();
                Assert.Equal(ErrorCode.CorruptMessage, log.Read(offset + 1, 1 << 20, true, out _));
                Assert.Equal(offset, Assert.Single(log.DamagedBatches).FirstOffset);
            }
            position += bytes.Length;
        }
        Assert.True(position > 1000);
    }

    [Fact]
    public async Task Flipped_bit_of_a_tail_that_was_not_closed_is_never_read()
    {
        await WriteAsync(CompressionCodec.None, clean: false);
        string active = Segments(_node)[^1];
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            TestNode node = _node.Copy();
            long position = random.NextInt64(_written.Where(batch => batch.Offset >= BaseOf(active)).Sum(static batch => batch.Bytes.Length));
            node.Disk.Corrupt(active, position, (byte)(1 << random.Next(8)));
            node.Start();
            if (node.Directory.OfflineLogs.Count == 0)
            {
                Assert.Empty(Refused(node.Directory.Logs[0], active, position, random));
            }
        }
    }

    [Fact]
    public async Task Sequential_readers_cost_one_check_and_later_ones_none()
    {
        await WriteAsync(CompressionCodec.None);
        long written = _written.Sum(static batch => batch.Bytes.Length);
        long reads = 0;
        PartitionLog log = _node.StartLog(files => files.Before = call => reads += BytesOfBatches(call));
        reads = 0;
        ReadFrom(log, 0, 700);
        Assert.InRange(reads - written, written, 1.5 * written); // beside what the test itself copies
        Assert.False(log.IsCold(0));
        reads = 0;
        ReadFrom(log, 0, 700);
        Assert.Equal(written, reads);
    }

    [Fact]
    public async Task What_this_process_appends_is_not_read_to_be_checked()
    {
        await WriteAsync(CompressionCodec.None);
        long reads = 0;
        PartitionLog log = _node.StartLog(files => files.Before = call => reads += BytesOfBatches(call));
        (long end, long size) = (log.LogEndOffset, log.SizeBytes);
        reads = 0;
        for (int i = 0; i < 20; i++)
        {
            log.Append(TestBatches.Make(3));
        }
        await log.FlushedAsync(log.LogEndOffset);
        Assert.False(log.IsCold(end));
        Assert.Equal(60, ReadFrom(log, end, 700).Sum(static batch => batch.Count));
        Assert.Equal(log.SizeBytes - size, reads); // what the test itself copies
    }

    [Fact]
    public async Task Damage_is_told_once_with_file_and_position_and_counted()
    {
        await WriteAsync(CompressionCodec.None);
        _node.Disk.Corrupt(_node.LogFile(), 70, 1);
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(ErrorCode.CorruptMessage, log.Read(0, 1 << 20, true, out _));
        }
        Assert.Equal(1, _node.Logger.Count($"web_log-0 is damaged in {_node.LogFile()} at position 0: the batch's checksum is wrong"));
        Assert.Equal(1, _node.Directory.DamagedBatchesFound);
    }

    [Fact]
    public async Task Restored_file_is_served_from_the_next_start_on()
    {
        await WriteAsync(CompressionCodec.None);
        _node.Disk.Corrupt(_node.LogFile(), 70, 1);
        Assert.Equal(ErrorCode.CorruptMessage, _node.StartLog().Read(0, 1 << 20, true, out _));
        _node.Kill();
        Assert.Equal(ErrorCode.CorruptMessage, _node.StartLog().Read(0, 1 << 20, true, out _));
        Assert.Equal(1, _node.Logger.Count("is damaged in"));
        _node.Kill();
        _node.Disk.Corrupt(_node.LogFile(), 70, 1);
        PartitionLog log = _node.StartLog();
        Assert.Single(log.DamagedBatches);
        Assert.Equal(_written.Count * 3, ReadFrom(log, 0, 700).Sum(static batch => batch.Count));
        Assert.Empty(log.DamagedBatches);
    }

    [Fact]
    public async Task Search_by_time_does_not_pass_over_a_damaged_batch()
    {
        await WriteAsync(CompressionCodec.None);
        _node.Disk.Corrupt(_node.LogFile(), 35, 0x40); // the largest timestamp of the first batch
        PartitionLog log = _node.StartLog();
        Assert.Throws<CorruptLogException>(() => log.OffsetForTime(1000));
        Assert.Single(log.DamagedBatches);
        Assert.Throws<CorruptLogException>(() => log.OffsetForTime(1000));
    }

    [Fact]
    public async Task Largest_timestamp_is_not_taken_from_a_damaged_batch()
    {
        await WriteAsync(CompressionCodec.None);
        string active = Segments(_node)[^1];
        long last = _written.Where(batch => batch.Offset >= BaseOf(active)).SkipLast(1).Sum(static batch => batch.Bytes.Length);
        _node.Disk.Corrupt(active, last + 41, 0x40); // the largest timestamp of the last batch
        PartitionLog log = _node.StartLog();
        Assert.Throws<CorruptLogException>(() => log.MaxTimestamp());
        Assert.Single(log.DamagedBatches);
    }

    [Fact]
    public async Task Damaged_checkpoint_of_epochs_takes_no_sound_batch_away()
    {
        await WriteAsync(CompressionCodec.None);
        string path = $"{TestNode.Root}/web_log-0/leader-epoch-checkpoint";
        _node.Disk.Corrupt(path, _node.Files.Stat(path)!.Value.Length - 4, 1); // "0 0" becomes "1 0"
        PartitionLog log = _node.StartLog();
        Assert.Equal(_written.Count * 3, ReadFrom(log, 0, 1 << 20).Sum(static batch => batch.Count));
        Assert.Empty(log.DamagedBatches);
    }

    // Less are headers, which any search reads.
    private static long BytesOfBatches(FileCall call) => call.Operation == FileOperation.Read && call.Length > RecordBatch.HeaderSize ? call.Length : 0;

    // Reads from random places to the end; returns what of it was not as it must be.
    private List<string> Refused(PartitionLog log, string segment, long position, Random random)
    {
        long damaged = DamagedOffset(segment, position);
        var wrong = new List<string>();
        for (int i = 0; i < 4; i++)
        {
            long from = i == 3 ? 0 : random.NextInt64(log.LogEndOffset);
            for (long offset = from; offset < log.DurableOffset;)
            {
                ErrorCode error = log.Read(offset, random.Next(1, 4000), wholeFirstBatch: true, out LogSlice slice);
                using (slice)
                {
                    if (error == ErrorCode.CorruptMessage && offset / 3 * 3 == damaged)
                    {
                        offset = damaged + 3;
                        continue;
                    }
                    if (error != ErrorCode.None || slice.Length == 0)
                    {
                        wrong.Add($"offset {offset} is answered {error} with {slice.Length} bytes, {damaged} is damaged");
                        break;
                    }
                    byte[] bytes = new byte[slice.Length];
                    slice.CopyTo(bytes);
                    byte[] expected = [.. _written.Where(batch => batch.Offset >= slice.FirstOffset).SelectMany(static batch => batch.Bytes).Take(bytes.Length)];
                    if (slice.FirstOffset != offset / 3 * 3 || !bytes.AsSpan().SequenceEqual(expected))
                    {
                        wrong.Add($"offset {offset}: other bytes than were written");
                        break;
                    }
                    offset = TestBatches.Walk(bytes, slice.FirstOffset);
                }
            }
        }
        if (log.DamagedBatches is not [{ } found] || found.FirstOffset != damaged || found.NextOffset != damaged + 3)
        {
            wrong.Add($"{damaged} is damaged, found was {string.Join(", ", log.DamagedBatches)}");
        }
        return wrong;
    }

    private async Task WriteAsync(CompressionCodec codec, bool clean = true)
    {
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < Batches; i++)
        {
            log.Append(TestBatches.Make(3, codec: codec, timestamp: 1000 + (10 * i)));
        }
        await log.FlushedAsync(log.LogEndOffset);
        _written.Clear();
        byte[] all = log.ReadAll();
        for (int at = 0; BatchHeader.TryParse(all.AsSpan(at), out BatchHeader header); at += header.SizeInBytes)
        {
            _written.Add((header.BaseOffset, all[at..(at + header.SizeInBytes)]));
        }
        if (clean)
        {
            await _node.Directory.CloseAsync();
        }
        else
        {
            _node.Kill();
        }
    }

    private long DamagedOffset(string segment, long position)
    {
        foreach ((long offset, byte[] bytes) in _written.Where(batch => batch.Offset >= BaseOf(segment)))
        {
            if (position < bytes.Length)
            {
                return offset;
            }
            position -= bytes.Length;
        }
        throw new InvalidOperationException("nothing was written there");
    }

    private static List<(long Offset, int Count)> ReadFrom(PartitionLog log, long offset, int bytesMax)
    {
        var read = new List<(long, int)>();
        while (offset < log.DurableOffset)
        {
            Assert.Equal(ErrorCode.None, log.Read(offset, bytesMax, true, out LogSlice slice));
            byte[] bytes = new byte[slice.Length];
            using (slice)
            {
                slice.CopyTo(bytes);
            }
            long next = TestBatches.Walk(bytes, slice.FirstOffset);
            read.Add((offset, (int)(next - offset)));
            offset = next;
        }
        return read;
    }

    private static string[] Segments(TestNode node) =>
        [.. new MemoryFileSystem(node.Disk).List($"{TestNode.Root}/web_log-0").Where(static file => file.Name.EndsWith(".log", StringComparison.Ordinal))
            .Select(static file => $"{TestNode.Root}/web_log-0/{file.Name}").Order(StringComparer.Ordinal)];

    private static long BaseOf(string segment) => long.Parse(Path.GetFileNameWithoutExtension(segment), System.Globalization.CultureInfo.InvariantCulture);
}
