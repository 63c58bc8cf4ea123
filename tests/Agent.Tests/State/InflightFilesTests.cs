using LogPipeline.Agent.State;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.State;

public sealed class InflightFilesTests
{
    private const string Segment = "/state/inflight-00000001";

    private readonly AgentOptions _options = new() { StateDirectory = "/state" };

    [Fact]
    public async Task Golden_bytes_of_an_entry()
    {
        byte[] file = await WriteAsync(1);
        // Header frame: length, crc, kind 19, version 2, id 1, number 1, bytes that the file was made with.
        Assert.Equal("00000016", Convert.ToHexString(file.AsSpan(0, 4)));
        Assert.Equal("13" + "02" + "00000001" + "0000000000000001" + "0000000000800000", Convert.ToHexString(file.AsSpan(8, 22)));
        int at = 8 + 22;
        Assert.Equal(16, file[at + 8]);
        string golden =
            "0000000000000001" + "000000000000000A" + "0000000000000000" + "00000000" + "00"
            + "000163" + new string('0', 32) + "00000002" + "000174" + "00000003" + "0000000000000064" + "0005" + "00000000" + "00000001"
            + "0000000000000007" + "00000008" + "00000001"
            + "000000000000002A" + "0000000000000000" + "000000000000000A" + "000000000000000A" + "00000000" + "0000000000000001"
            + "0000000000000009" + "0000000000000005" + "00000004" + "0000000000000006" + "000000000000000000000000000000000000000000000000"
            + "00000003" + "010101";
        Assert.Equal(golden, Convert.ToHexString(file.AsSpan(at + 9, golden.Length / 2)));
    }

    [Fact]
    public async Task What_is_cut_at_any_byte_gives_the_whole_entries_before_it()
    {
        byte[] whole = await WriteAsync(3);
        int[] ends = Ends(whole);
        for (int cut = 0; cut <= ends[^1]; cut++)
        {
            byte[] torn = new byte[whole.Length];
            whole.AsSpan(0, cut).CopyTo(torn);
            // A cut that takes only zeros off a frame leaves it whole.
            int intact = torn.AsSpan().CommonPrefixLength(whole);
            int begin = ends.Append(30).Append(0).Where(e => e <= intact).Max();
            bool isClean = begin > 0 && !torn.AsSpan(begin).ContainsAnyExcept((byte)0);
            InflightContents contents = Load(torn);
            Assert.Equal(ends.Count(e => e <= intact), contents.Entries.Count);
            Assert.Equal(!isClean, contents.Damage is not null);
        }
    }

    [Fact]
    public async Task A_flipped_bit_is_noticed_wherever_it_is()
    {
        byte[] whole = await WriteAsync(2);
        int used = Ends(whole)[^1];
        for (int i = 0; i < used; i++)
        {
            byte[] flipped = [.. whole];
            flipped[i] ^= 0x10;
            Assert.NotNull(Load(flipped).Damage);
        }
    }

    [Fact]
    public async Task A_group_that_is_not_whole_is_void_and_a_whole_one_stands_for_what_it_replaces()
    {
        byte[] whole = await WriteAsync(3, n => n == 1 ? Entry(1) : Entry(n, replaces: 1, groupLeft: 3 - n));
        Assert.Equal([2L, 3L], Load(whole).Entries.Keys);
        int[] ends = Ends(whole);
        byte[] torn = new byte[whole.Length];
        whole.AsSpan(0, ends[1]).CopyTo(torn);
        Assert.Equal([1L], Load(torn).Entries.Keys);
    }

    [Fact]
    public void A_registry_comes_back_as_it_was_and_a_damaged_one_is_refused()
    {
        var registry = new Registry { AgentId = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), MachineId = "m", BootId = "b", NextEntry = 7 };
        registry.InputsStarted.Add("t /logs/*");
        registry.Generations.Add(new Generation
        {
            Id = 42,
            Topic = "t",
            FirstPath = "/logs/ä",
            Path = "/logs/ä.1",
            Partition = 3,
            Identity = new FileIdentity("fs", 5, 6),
            Acked = new Progress(10, 8, 1, 2, 3, 4),
            Phase = GenerationPhase.Rotated,
        });
        var log = new LogRecord { Topic = "t", Partition = 3, Identity = new LogIdentity("c", default, 3), ProducerId = 9 };
        log.Saw(new LogEnd(11, 4));
        registry.Logs.Add(log);
        var writer = new StateWriter();
        registry.Write(writer);
        byte[] bytes = writer.Written.ToArray();

        Registry read = Registry.Read(bytes);
        var again = new StateWriter();
        read.Write(again);
        Assert.True(again.Written.SequenceEqual(bytes));
        Assert.Equal(new Progress(10, 8, 1, 2, 3, 4), read.Generations[0].Acked);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] flipped = [.. bytes];
            flipped[i] ^= 1;
            Assert.Throws<StateDamagedException>(() => Registry.Read(flipped));
            Assert.Throws<StateDamagedException>(() => Registry.Read(bytes.AsSpan(0, i)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task What_was_found_at_start_outlasts_the_host(int seed)
    {
        byte[] bytes = await WriteAsync(3);
        var disk = new MemoryDisk(TimeProvider.System);
        var files = new MemoryFileSystem(disk);
        files.CreateDirectory("/state");
        files.FlushDirectory("/");
        using (IFile file = files.Open(Segment, FileOpenMode.CreateNew))
        {
            // As a process leaves it that is killed before its flush.
            file.Write(bytes, 0);
        }
        files.FlushDirectory("/state");
        Assert.Equal(3, InflightContents.Load(files, "/state").Entries.Count);
        disk.LosePower(new Random(seed));
        InflightContents contents = InflightContents.Load(new MemoryFileSystem(disk), "/state");
        Assert.Null(contents.Damage);
        Assert.Equal(3, contents.Entries.Count);
    }

    private async Task<byte[]> WriteAsync(int entries, Func<int, InflightEntry>? make = null)
    {
        var files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
        files.CreateDirectory("/state");
        var pause = new DiskPause(TimeProvider.System, fault => throw fault, CancellationToken.None);
        using var inflight = new InflightFiles(files, "/state", _options, TimeProvider.System, pause);
        for (int n = 1; n <= entries; n++)
        {
            inflight.Append(make?.Invoke(n) ?? Entry(n));
        }
        await inflight.DurableAsync();
        return AtomicFile.ReadAll(files, Segment)!;
    }

    private static InflightEntry Entry(int number, long replaces = 0, int groupLeft = 0) => new()
    {
        Number = number,
        Time = 10,
        Replaces = replaces,
        GroupLeft = groupLeft,
        Identity = new LogIdentity("c", default, 2),
        Topic = "t",
        Partition = 3,
        ProducerId = 100,
        ProducerEpoch = 5,
        BaseSequence = number - 1,
        RecordCount = 1,
        ScanFrom = 7,
        LeaderEpoch = 8,
        Ranges = [new EntryRange(42, 0, new Progress(10, 10, 0, 1, 9, 5), new Fingerprint(4, 6), default)],
        Batch = new byte[] { 1, 1, 1 },
    };

    private static InflightContents Load(byte[] segment)
    {
        var files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
        files.CreateDirectory("/state");
        using (IFile file = files.Open(Segment, FileOpenMode.CreateNew))
        {
            file.Write(segment, 0);
        }
        return InflightContents.Load(files, "/state");
    }

    /// <summary>Where each entry's frame ends.</summary>
    private static int[] Ends(ReadOnlySpan<byte> segment)
    {
        List<int> ends = [];
        int at = 0;
        while (StateReader.TryFrame(segment[at..], out FrameKind kind, out _, out int size) == FrameResult.Frame)
        {
            at += size;
            if (kind == FrameKind.Entry)
            {
                ends.Add(at);
            }
        }
        return [.. ends];
    }
}
