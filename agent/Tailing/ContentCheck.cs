using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>Compares what lies in a file with what is known of it.</summary>
internal static class ContentCheck
{
    /// <summary>The fingerprint of the first bytes, up to 1 KiB, or up to <paramref name="lengthMax"/>.</summary>
    public static Fingerprint HeadOf(IFile file, int lengthMax = Fingerprint.LengthMax)
    {
        Span<byte> head = stackalloc byte[Fingerprint.LengthMax];
        int length = file.ReadFully(head[..Math.Min(lengthMax, Fingerprint.LengthMax)], 0);
        return Fingerprint.Of(head[..length]);
    }

    /// <summary>
    /// The fingerprint of a file's first bytes, up to <paramref name="lengthMax"/>, as far as they are written for good: what its writer has reserved is zero, and may end
    /// in the midst of its first line.
    /// </summary>
    public static Fingerprint WrittenHeadOf(IFile file, int lengthMax)
    {
        Span<byte> buffer = stackalloc byte[lengthMax];
        ReadOnlySpan<byte> head = buffer[..file.ReadFully(buffer, 0)];
        bool isFull = head.Length == Fingerprint.LengthMax && !head.Contains((byte)0);
        return Fingerprint.Of(isFull ? head : head[..(head.LastIndexOf((byte)'\n') + 1)]);
    }

    /// <summary>Whether a file begins with the bytes of a fingerprint; true where nothing is known.</summary>
    public static bool BeginsWith(IFile file, in Fingerprint head) => head.Length == 0 || HeadOf(file, head.Length) == head;

    /// <summary>The fingerprint of the bytes before <paramref name="position"/>, up to 1 KiB.</summary>
    public static Fingerprint TailBefore(IFile file, long position)
    {
        Span<byte> bytes = stackalloc byte[(int)Math.Min(position, Fingerprint.LengthMax)];
        return file.ReadFully(bytes, position - bytes.Length) == bytes.Length ? Fingerprint.Of(bytes) : default;
    }

    /// <summary>Whether a file holds what was read of a generation.</summary>
    public static bool Holds(IFile file, Generation generation) =>
        file.Length >= generation.Read.Position && Holds(file, generation.Head, generation.Read.Position, generation.ReadTail);

    /// <summary>Whether the begin of what was read of a generation is known: a start knows it only as far as it was acked.</summary>
    public static bool IsHeadKnown(Generation generation) => generation.Head.Length >= Math.Min(generation.Read.Position, Fingerprint.LengthMax);

    /// <summary>
    /// Whether a file that has another identity than a generation is its file all the same: it holds all that was read, and that is at least a
    /// KiB or several lines. One line may be any file's.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="generation">The generation.</param>
    /// <param name="holdsKept">
    /// Whether the file holds the records that are kept of the generation: asked at a start, which knows the generation's head only as far as it was acked.
    /// </param>
    /// <param name="linesMin">How many lines are enough.</param>
    public static bool Continues(IFile file, Generation generation, Func<bool>? holdsKept = null, int linesMin = 2)
    {
        if (generation.Read.Position == 0 || !Holds(file, generation))
        {
            return false;
        }
        return (IsHeadKnown(generation) || (holdsKept?.Invoke() ?? false)) && HasLines(file, generation.Read.Position, linesMin);
    }

    /// <summary>
    /// Whether a file begins with what was seen of a generation's file beyond what was read of it, and that is at least a KiB, or several lines, or all that
    /// the file holds.
    /// </summary>
    public static bool BeginsAsSeen(IFile file, Generation generation) =>
        generation.Seen.Length > generation.Read.Position && Holds(file, generation) && BeginsWith(file, generation.Seen)
        && (file.Length == generation.Seen.Length || HasLines(file, generation.Seen.Length, 2));

    /// <summary>The fingerprint of a file's first bytes, up to 1 KiB, and whether it is compressed, as they say: gzip, zstd, xz or bzip2.</summary>
    public static (Fingerprint Head, bool IsCompressed) BeginOf(IFile file)
    {
        Span<byte> buffer = stackalloc byte[Fingerprint.LengthMax];
        ReadOnlySpan<byte> begin = buffer[..file.ReadFully(buffer, 0)];
        bool isCompressed = ArchiveStream.IsGzip(begin) || ArchiveStream.IsZstd(begin)
            || begin.StartsWith<byte>([0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0])
            || (begin.StartsWith("BZh"u8) && begin.Length > 4 && begin[4] == 0x31);
        return (Fingerprint.Of(begin), isCompressed);
    }

    /// <summary>
    /// Whether what was read of a generation, which the file holds, is enough to know it by: a whole line, or a whole fingerprint. The
    /// begin of a line may be any file's.
    /// </summary>
    public static bool Suffices(IFile file, Generation generation) => HasLines(file, generation.Read.Position, 1);

    /// <summary>Whether what lies before a position is a whole fingerprint, or at least so many whole lines.</summary>
    public static bool HasLines(IFile file, long position, int least)
    {
        Span<byte> head = stackalloc byte[Fingerprint.LengthMax];
        head = head[..(int)Math.Min(position, head.Length)];
        return head.Length == Fingerprint.LengthMax || (file.ReadFully(head, 0) == head.Length && head.Count((byte)'\n') >= least);
    }

    /// <summary>Whether the file begins as it did, and holds before <paramref name="position"/> what it held.</summary>
    private static bool Holds(IFile file, Fingerprint head, long position, Fingerprint tail) =>
        BeginsWith(file, head) && HoldsBefore(file, position, tail);

    public static bool HoldsBefore(IFile file, long position, Fingerprint tail)
    {
        if (tail.Length == 0)
        {
            return file.Length >= position;
        }
        Span<byte> bytes = stackalloc byte[Fingerprint.LengthMax];
        bytes = bytes[..tail.Length];
        return position >= tail.Length && file.ReadFully(bytes, position - tail.Length) == tail.Length && Fingerprint.Of(bytes) == tail;
    }

    /// <summary>Whether all of <paramref name="copy"/>, as far as its first and last KiB show, is the begin of <paramref name="original"/>.</summary>
    public static bool IsBeginOf(IFile copy, IFile original)
    {
        long length = copy.Length;
        if (length == 0 || length > original.Length)
        {
            return false;
        }
        int size = (int)Math.Min(length, Fingerprint.LengthMax);
        return SameAt(copy, original, 0, size) && SameAt(copy, original, length - size, size);
    }

    private static bool SameAt(IFile a, IFile b, long position, int size)
    {
        Span<byte> left = stackalloc byte[Fingerprint.LengthMax];
        Span<byte> right = stackalloc byte[Fingerprint.LengthMax];
        return a.ReadFully(left[..size], position) == size
            && b.ReadFully(right[..size], position) == size
            && left[..size].SequenceEqual(right[..size]);
    }
}
