using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>Where the file system keeps a file, whatever its name is.</summary>
internal readonly record struct FileIdentity(string FileSystem, ulong Inode, long BirthTime)
{
    public static FileIdentity Of(in FileStatus status) => new(status.FileSystem, status.Inode, status.BirthTime);
}

internal enum GenerationPhase : byte
{
    /// <summary>Its path names it.</summary>
    Live = 0,

    /// <summary>Renamed, replaced or unlinked: read on to its end.</summary>
    Rotated = 1,

    /// <summary>Read to its end, acked and quiet; known so that it is not taken for a new file.</summary>
    Finished = 2,

    /// <summary>Nowhere to be found, or cut; its totals are kept for comparison.</summary>
    Gone = 3,
}

/// <summary>
/// One life of one file, as one topic gets it. Owned by the agent's loop. The registry holds all but <see cref="Read"/> and
/// <see cref="ReadTail"/>, which start from the newest in-flight entry. What is acked the in-flight files tell too, so an ack marks no change.
/// </summary>
internal sealed class Generation
{
    public required ulong Id { get; init; }

    public required string Topic { get; init; }

    /// <summary>The path it was first seen by: the header <c>file</c>.</summary>
    public required string FirstPath { get; init; }

    /// <summary>The path it was last seen by.</summary>
    public required string Path
    {
        get;
        set => Change(ref field, value);
    }

    /// <summary>-1 until the topic's partition count was known.</summary>
    public int Partition
    {
        get;
        set => Change(ref field, value);
    } = -1;

    public FileIdentity Identity
    {
        get;
        set => Change(ref field, value);
    }

    /// <summary>The file's first bytes, up to 1 KiB, as far as they were read.</summary>
    public Fingerprint Head
    {
        get;
        set => Change(ref field, value);
    }

    /// <summary>
    /// The file's first bytes, up to 1 KiB, as they were seen while they waited to be read. What was read proves a file; of one that is compressed before
    /// anything of it could be sent, this is all that a later start can know it by.
    /// </summary>
    public Fingerprint Seen
    {
        get;
        set => Change(ref field, value);
    }

    /// <summary>Where reading began: 0 unless what lies before was not to be read.</summary>
    public long Begin { get; init; }

    public Progress Acked { get; set; }

    /// <summary>The bytes before the acked position, up to 1 KiB.</summary>
    public Fingerprint AckedTail { get; set; }

    /// <summary>What has been put into batches.</summary>
    public Progress Read { get; set; }

    public Fingerprint ReadTail { get; set; }

    /// <summary>Records that went to the dead-letter file.</summary>
    public LeftOut DeadLetters { get; set; }

    /// <summary>Lines that the configuration leaves out, as far as they are acked.</summary>
    public OmittedLines Omitted { get; set; }

    /// <summary>Bytes known to have been in the file and cut before they were read.</summary>
    public long TruncatedBytes
    {
        get;
        set => Change(ref field, value);
    }

    public GenerationPhase Phase
    {
        get;
        set => Change(ref field, value);
    }

    /// <summary>Milliseconds since 1970 when the phase was entered.</summary>
    public long PhaseSince
    {
        get;
        set => Change(ref field, value);
    }

    /// <summary>
    /// Up to when the agent followed its path, in nanoseconds since 1970, where a start's configuration did not want it; 0 while it is wanted. A later one that
    /// wants it again asks what was rotated since.
    /// </summary>
    public long UnwantedSince
    {
        get;
        set => Change(ref field, value);
    }

    /// <summary>Whether the registry on disk knows it with its partition; nothing of it is sent before.</summary>
    public bool IsDurable { get; set; }

    /// <summary>Where changes are marked; null until the registry has it.</summary>
    public RegistryChanges? Changes { private get; set; }

    /// <summary>Whether it stands among <see cref="Changes"/>.</summary>
    public bool IsChanged { get; set; }

    /// <summary>Whether nothing of its file was read, or is known of the file's begin.</summary>
    public bool IsUnknown => Read.Position == 0 && Seen.Length == 0;

    public bool IsOver => Phase is GenerationPhase.Finished or GenerationPhase.Gone;

    /// <summary>All up to the end of <paramref name="range"/> is acked.</summary>
    public void Advance(in EntryRange range)
    {
        bool wasHeadHeldBack = Head.Length > Acked.Position;
        (Acked, AckedTail) = (range.End, range.Tail);
        DeadLetters += range.LeftOut;
        Omitted += range.Omitted;
        if (wasHeadHeldBack && Head.Length <= Acked.Position)
        {
            Changes?.Add(this);
        }
    }

    public void Write(StateWriter to)
    {
        to.UInt64(Id);
        to.String(Topic);
        to.String(FirstPath);
        to.String(Path);
        to.Int32(Partition);
        to.String(Identity.FileSystem);
        to.UInt64(Identity.Inode);
        to.Int64(Identity.BirthTime);
        // Bytes beyond the acked position count as unread after a crash that takes their entries: the head must not hold them.
        (Head.Length <= Acked.Position ? Head : AckedTail).Write(to);
        to.Int64(Begin);
        Acked.Write(to);
        AckedTail.Write(to);
        DeadLetters.Write(to);
        to.Int64(TruncatedBytes);
        to.Byte((byte)Phase);
        to.Int64(PhaseSince);
        to.Int64(Acked.Covered);
        Omitted.Write(to);
        if ((Seen.Length > Acked.Position && !IsOver) || UnwantedSince > 0)
        {
            Seen.Write(to);
            to.Int64(UnwantedSince);
        }
    }

    public static Generation ReadFrom(ref StateReader from)
    {
        var generation = new Generation
        {
            Id = from.UInt64(),
            Topic = from.String(),
            FirstPath = from.String(),
            Path = from.String(),
            Partition = from.Int32(),
            Identity = new FileIdentity(from.String(), from.UInt64(), from.Int64()),
            Head = Fingerprint.Read(ref from),
            Begin = from.Int64(),
            Acked = Progress.Read(ref from),
            AckedTail = Fingerprint.Read(ref from),
            DeadLetters = LeftOut.Read(ref from),
            TruncatedBytes = from.Int64(),
            Phase = (GenerationPhase)from.Byte(),
            PhaseSince = from.Int64(),
            IsDurable = true,
        };
        if (!from.IsAtEnd)
        {
            generation.Acked = generation.Acked with { Covered = from.Int64() };
            generation.Omitted = OmittedLines.Read(ref from);
        }
        if (!from.IsAtEnd)
        {
            generation.Seen = Fingerprint.Read(ref from);
            generation.UnwantedSince = from.Int64();
        }
        generation.Read = generation.Acked;
        generation.ReadTail = generation.AckedTail;
        return generation;
    }

    private void Change<T>(ref T field, T value)
    {
        if (!EqualityComparer<T>.Default.Equals(field, value))
        {
            field = value;
            Changes?.Add(this);
        }
    }
}
