using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Logging;

namespace LogPipeline.Storage.Tests;

/// <summary>A machine with one data directory on a memory disk: start, kill, cut the power.</summary>
internal sealed class TestNode
{
    public const string Root = "/data";

    public static readonly Guid WebLog = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");

    public TestNode(int seed = 1, MemoryDisk? disk = null)
    {
        Random = new Random(seed);
        Disk = disk ?? new MemoryDisk(Time);
        Files = new MemoryFileSystem(Disk);
    }

    public WarningLog Logger { get; } = new();

    public TestTime Time { get; } = new();

    public Random Random { get; }

    public MemoryDisk Disk { get; }

    public MemoryFileSystem Files { get; private set; }

    public DataDirectory Directory { get; private set; } = null!;

    public PartitionLogOptions Options { get; set; } = new() { IndexIntervalBytes = 200, SegmentBytes = 1 << 20 };

    /// <summary>Batches up to this size go into the commit journal: none, unless a test is about it.</summary>
    public int JournalAppendBytesMax { get; set; }

    public long JournalBytes { get; set; } = 64 << 10;

    /// <summary>What a broker's registry would say.</summary>
    public Dictionary<string, KnownTopic> Topics { get; } = [];

    /// <summary>0, so that tests of a full disk reach the disk.</summary>
    public long ReservedBytes { get; set; }

    public List<Exception> Fatal { get; } = [];

    public DataDirectory Start(Action<MemoryFileSystem>? prepare = null)
    {
        Files = new MemoryFileSystem(Disk);
        prepare?.Invoke(Files);
        Directory = DataDirectory.Open(
            Files,
            Root,
            new DataDirectoryOptions
            {
                Topics = _ => Topics,
                OptionsOf = _ => Options,
                OnFatal = Fatal.Add,
                ReservedBytes = ReservedBytes,
                JournalBytes = JournalBytes,
                JournalAppendBytesMax = JournalAppendBytesMax,
            },
            Time,
            Random,
            Logger);
        return Directory;
    }

    /// <summary>Starts, and opens or makes the one log most tests need.</summary>
    public PartitionLog StartLog(Action<MemoryFileSystem>? prepare = null)
    {
        Start(prepare);
        Assert.Empty(Directory.OfflineLogs);
        if (Directory.Logs.Count > 0)
        {
            return Directory.Logs[0];
        }
        Topics["web_log"] = new KnownTopic(WebLog, 1, IsGone: true);
        PartitionLog made = Directory.Create("web_log", WebLog, 0, 1, Options)[0];
        Topics.Remove("web_log");
        return made;
    }

    /// <summary>kill -9.</summary>
    public void Kill() => Files.Kill();

    public void LosePower(int seed)
    {
        Files.Kill();
        Disk.LosePower(new Random(seed));
    }

    /// <summary>Goes on with a copy of the disk as it is, so that one prepared log serves many faults.</summary>
    public TestNode Copy() => new(disk: Disk.Copy(Time, "memory")) { Options = Options, JournalAppendBytesMax = JournalAppendBytesMax, JournalBytes = JournalBytes };

    public string LogFile(long baseOffset = 0) => $"{Root}/web_log-0/{baseOffset:D20}.log";
}

/// <summary>A clock that tests move.</summary>
internal sealed class TestTime : TimeProvider
{
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan by) => _now += by;
}

/// <summary>Batches as producers send them.</summary>
internal static class TestBatches
{
    public static byte[] Make(
        int count, long producerId = -1, short epoch = -1, int sequence = -1, long timestamp = 1000, int valueLength = 20,
        CompressionCodec codec = CompressionCodec.None)
    {
        using var builder = new RecordBatchBuilder(codec, 1 << 20);
        byte[] value = new byte[valueLength];
        for (int i = 0; i < count; i++)
        {
            Array.Fill(value, (byte)('a' + (i % 26)));
            Assert.True(builder.TryAppend(timestamp + i, value));
        }
        return builder.Build(producerId, epoch, sequence).ToArray();
    }

    public static AppendResult Append(
        this PartitionLog log, byte[] batch, AppendOrigin origin = AppendOrigin.Client, int leaderEpoch = 0) =>
        log.AppendAsLeader(batch, origin, leaderEpoch);

    // Reading as a partition with one replica does: up to what is durable.
    public static ErrorCode Read(this PartitionLog log, long offset, int bytesMax, bool wholeFirstBatch, out LogSlice slice) =>
        log.Read(offset, log.DurableOffset, bytesMax, wholeFirstBatch, out slice);

    public static TimedOffset? OffsetForTime(this PartitionLog log, long timestamp) => log.OffsetForTime(timestamp, log.DurableOffset);

    public static TimedOffset? MaxTimestamp(this PartitionLog log) => log.MaxTimestamp(log.DurableOffset);

    public static byte[] ReadAll(this PartitionLog log)
    {
        var all = new List<byte>();
        long offset = log.LogStartOffset;
        while (offset < log.DurableOffset)
        {
            Assert.Equal(ErrorCode.None, log.Read(offset, 1 << 20, true, out LogSlice slice));
            byte[] bytes = new byte[slice.Length];
            using (slice)
            {
                slice.CopyTo(bytes);
            }
            offset = Walk(bytes, offset);
            all.AddRange(bytes);
        }
        return [.. all];
    }

    /// <summary>Checks that batches are whole and without gap from an offset; gives the offset behind them.</summary>
    public static long Walk(ReadOnlySpan<byte> bytes, long offset)
    {
        for (int at = 0; at < bytes.Length;)
        {
            Assert.True(BatchHeader.TryParse(bytes[at..], out BatchHeader header));
            Assert.True(RecordBatch.CrcIsValid(bytes.Slice(at, header.SizeInBytes)));
            Assert.Equal(offset, header.BaseOffset);
            offset = header.NextOffset;
            at += header.SizeInBytes;
        }
        return offset;
    }
}
