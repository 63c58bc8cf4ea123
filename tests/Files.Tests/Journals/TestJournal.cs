using System.Buffers.Binary;
using LogPipeline.Files.Journals;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Files;

namespace LogPipeline.Files.Tests.Journals;

/// <summary>A machine with one journal on a memory disk. Payloads carry a number and bytes that follow from it.</summary>
internal sealed class TestJournal(Random random) : IJournalOwner
{
    public const string Directory = "/journal";

    public MemoryDisk Disk { get; } = new(TimeProvider.System);

    public MemoryFileSystem Files { get; private set; } = null!;

    public JournalOptions Options { get; set; } = new()
    {
        Checksum = Crc32C.Compute,
        FileBytes = 5 * 4096,
        FilesMax = 3,
        CommitBytesMax = 3 * 4096,
    };

    public Journal Journal { get; private set; } = null!;

    public List<JournalCommit> Commits { get; } = [];

    public List<Exception> Failures { get; } = [];

    /// <summary>How often it asked for space.</summary>
    public int SpaceNeeds { get; private set; }

    /// <summary>Called when the journal asks for space, with the newest durable commit.</summary>
    public Action<long> OnSpaceNeeded { get; set; } = static _ => { };

    /// <summary>Called with each commit that is durable.</summary>
    public Action<JournalCommit> OnCommitted { get; set; } = static _ => { };

    /// <summary>A new process: attaches to the disk and reads what is there.</summary>
    public JournalReader Read(Action<MemoryFileSystem>? prepare = null)
    {
        Files = new MemoryFileSystem(Disk);
        prepare?.Invoke(Files);
        return JournalReader.Open(Files, Directory, Options.Checksum);
    }

    /// <summary>Begins a life behind what was read.</summary>
    public void Open(JournalReader found, long safe)
    {
        Journal = Journal.Open(Files, found, safe, Options, random, this);
        found.Dispose();
    }

    /// <summary>Starts with everything before being void.</summary>
    public void StartEmpty()
    {
        JournalReader found = Read();
        Open(found, found.LastCommit);
    }

    public bool TryAppend(int number, int length, out long commit)
    {
        byte[] payload = Payload(number, length);
        return Journal.TryAppend(payload.AsSpan(0, 4), payload.AsSpan(4), out commit);
    }

    public long Append(int number, int length = 100)
    {
        Assert.True(TryAppend(number, length, out long commit));
        return commit;
    }

    /// <summary>The numbers of all entries, each checked byte for byte.</summary>
    public static List<int> Numbers(JournalReader reader)
    {
        var numbers = new List<int>();
        foreach (JournalEntry entry in reader.Entries)
        {
            byte[] payload = new byte[entry.Length];
            reader.Read(entry, payload);
            int number = BinaryPrimitives.ReadInt32BigEndian(payload);
            Assert.Equal(Payload(number, payload.Length), payload);
            numbers.Add(number);
        }
        return numbers;
    }

    public void LosePower(int seed)
    {
        Files.Kill();
        Disk.LosePower(new Random(seed));
    }

    void IJournalOwner.Committed(JournalCommit commit)
    {
        Commits.Add(commit);
        OnCommitted(commit);
    }

    void IJournalOwner.SpaceNeeded(long lastCommit)
    {
        SpaceNeeds++;
        OnSpaceNeeded(lastCommit);
    }

    void IJournalOwner.Failed(Exception cause) => Failures.Add(cause);

    private static byte[] Payload(int number, int length)
    {
        byte[] payload = new byte[length];
        new Random(number).NextBytes(payload);
        BinaryPrimitives.WriteInt32BigEndian(payload, number);
        return payload;
    }
}
