namespace LogPipeline.Files.Journals;

/// <summary>How a <see cref="Journal"/> is kept.</summary>
public sealed record JournalOptions
{
    /// <summary>CRC-32C. Passed in, since this room sees no other and the repository has one implementation.</summary>
    public required Func<ReadOnlySpan<byte>, uint> Checksum { get; init; }

    /// <summary>Size of one file in bytes, a multiple of 4,096. Journals that still hold something needed keep the size they have.</summary>
    public int FileBytes { get; init; } = 32 << 20;

    /// <summary>Files at most; each is made when the ones before it are full, and kept.</summary>
    public int FilesMax { get; init; } = 4;

    /// <summary>The size of one file so that <paramref name="files"/> of them hold about <paramref name="bytes"/>.</summary>
    public static int FileBytesOf(long bytes, int files) =>
        (int)Math.Clamp(bytes / files, 2 * JournalFrame.Block, 1 << 30) / JournalFrame.Block * JournalFrame.Block;

    /// <summary>Bytes that may wait for the next commit; what does not fit is refused.</summary>
    public int CommitBytesMax { get; init; } = 8 << 20;
}
