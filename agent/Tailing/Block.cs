using LogPipeline.Agent.State;

namespace LogPipeline.Agent.Tailing;

/// <summary>Bytes of a file that were read at once: those from the read position on, and before them some that prove the place.</summary>
/// <param name="whole">All that was read.</param>
/// <param name="before">How many of them lie before the position.</param>
/// <param name="origin">The position.</param>
internal readonly ref struct Block(ReadOnlySpan<byte> whole, int before, long origin)
{
    private readonly ReadOnlySpan<byte> _whole = whole;

    public ReadOnlySpan<byte> Bytes => _whole[before..];

    /// <summary>The bytes before the position, as far as they were read.</summary>
    public ReadOnlySpan<byte> Before => _whole[..before];

    public long Origin => origin;

    public long End => origin + _whole.Length - before;

    /// <summary>The bytes of a stretch of the file that lies in it.</summary>
    public ReadOnlySpan<byte> Slice(long begin, long end) => Bytes[(int)(begin - origin)..(int)(end - origin)];

    /// <summary>The fingerprint of the bytes before a position, up to 1 KiB.</summary>
    public Fingerprint TailAt(long position)
    {
        int end = before + (int)(position - origin);
        int length = Math.Min(end, Fingerprint.LengthMax);
        return Fingerprint.Of(_whole.Slice(end - length, length));
    }
}
