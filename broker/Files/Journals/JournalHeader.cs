using System.Buffers.Binary;

namespace LogPipeline.Files.Journals;

/// <summary>
/// The file <c>header</c> of a journal's directory, replaced whole at each opening and whenever files become free: which frames count.
/// </summary>
/// <remarks>
/// <code>
///    0  crc         u32  CRC-32C of what follows
///    4  version     u32  1
///    8  file bytes  i32  size of each file
///   12  lives       i32
///   16  safe        i64  commits below are safe elsewhere, their space may hold anything
///   24  each life:  life u64, first commit i64; it ends where the next one begins
///                   none: there is no commit that is not safe
/// </code>
/// </remarks>
internal sealed record JournalHeader(int FileBytes, long Safe, IReadOnlyList<JournalLife> Lives)
{
    private const string FileName = "header";
    private const int Version = 1;
    private const int FixedSize = 24;
    private const int LifeSize = 16;

    /// <summary>The newest commit that is certain to have been durable; those of the newest life are not known here.</summary>
    public long LastCertainCommit => (Lives.Count == 0 ? Safe : Math.Max(Safe, Lives[^1].FirstCommit)) - 1;

    /// <summary>The same with nothing below <paramref name="safe"/> counting: lives that are empty then are forgotten.</summary>
    public JournalHeader With(long safe) => this with
    {
        Safe = safe,
        Lives = [.. Lives.Where((life, i) => i == Lives.Count - 1 || Lives[i + 1].FirstCommit > Math.Max(safe, life.FirstCommit))],
    };

    /// <summary>The life that a commit of this number belongs to; null when it does not count.</summary>
    public JournalLife? LifeOf(long commit)
    {
        if (commit < Safe)
        {
            return null;
        }
        for (int i = Lives.Count - 1; i >= 0; i--)
        {
            if (Lives[i].FirstCommit <= commit)
            {
                return Lives[i];
            }
        }
        return null;
    }

    public void Write(IFileSystem files, string directory, Func<ReadOnlySpan<byte>, uint> checksum)
    {
        byte[] bytes = new byte[FixedSize + (Lives.Count * LifeSize)];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), Version);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), FileBytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(12), Lives.Count);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(16), Safe);
        for (int i = 0; i < Lives.Count; i++)
        {
            Span<byte> life = bytes.AsSpan(FixedSize + (i * LifeSize));
            BinaryPrimitives.WriteUInt64BigEndian(life, Lives[i].Id);
            BinaryPrimitives.WriteInt64BigEndian(life[8..], Lives[i].FirstCommit);
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes, checksum(bytes.AsSpan(4)));
        AtomicFile.Replace(files, directory + "/" + FileName, bytes);
    }

    /// <summary>Null when there is no such file: nothing was ever committed.</summary>
    /// <exception cref="InvalidDataException">It is damaged or of another version.</exception>
    public static JournalHeader? Read(IFileSystem files, string directory, Func<ReadOnlySpan<byte>, uint> checksum)
    {
        string path = directory + "/" + FileName;
        byte[]? bytes = AtomicFile.ReadAll(files, path);
        if (bytes is null)
        {
            return null;
        }
        bool isWhole = bytes.Length >= FixedSize && BinaryPrimitives.ReadUInt32BigEndian(bytes) == checksum(bytes.AsSpan(4));
        int version = isWhole ? BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4)) : Version;
        if (version != Version)
        {
            throw new InvalidDataException($"{path} is of version {version}; this program knows version {Version}.");
        }
        int count = isWhole ? BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(12)) : 0;
        if (!isWhole || count < 0 || bytes.Length != FixedSize + ((long)count * LifeSize))
        {
            throw new InvalidDataException($"{path} is damaged: without it the journal's files beside it cannot be read.");
        }
        var lives = new JournalLife[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> life = bytes.AsSpan(FixedSize + (i * LifeSize));
            lives[i] = new JournalLife(BinaryPrimitives.ReadUInt64BigEndian(life), BinaryPrimitives.ReadInt64BigEndian(life[8..]));
        }
        return new JournalHeader(
            BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(8)), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(16)), lives);
    }
}

/// <summary>One opening of a journal.</summary>
/// <param name="Id">Random, not 0.</param>
/// <param name="FirstCommit">Number of its first commit.</param>
internal readonly record struct JournalLife(ulong Id, long FirstCommit);
