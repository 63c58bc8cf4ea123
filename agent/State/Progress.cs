using System.Buffers.Binary;

namespace LogPipeline.Agent.State;

/// <summary>How far a generation was read: the position, the framing state there, and the running totals up to there.</summary>
/// <param name="Position">Bytes from the file's start; what lies before is in a record or counted as left out.</param>
/// <param name="LineBegin">First byte of the line that <paramref name="Position"/> is in the middle of; else the position itself.</param>
/// <param name="Part">Parts of that line given out so far; 0 at a line's begin.</param>
/// <param name="Records">Records that cover what lies before.</param>
/// <param name="Bytes">Bytes of their values.</param>
/// <param name="Sum">Sum of their <see cref="LogPipeline.Contract.RecordSum"/> terms.</param>
internal readonly record struct Progress(long Position, long LineBegin, int Part, long Records, long Bytes, ulong Sum)
{
    /// <summary>
    /// End of the last record. What lies between it and <see cref="Position"/> is left out, and is covered by the next record, so that the records
    /// of a generation lie end to end.
    /// </summary>
    public long Covered { get; init; } = Position;

    public static Progress At(long position) => new(position, position, 0, 0, 0, 0);

    public void Write(StateWriter to)
    {
        to.Int64(Position);
        to.Int64(LineBegin);
        to.Int32(Part);
        to.Int64(Records);
        to.Int64(Bytes);
        to.UInt64(Sum);
    }

    public static Progress Read(ref StateReader from) =>
        new(from.Int64(), from.Int64(), from.Int32(), from.Int64(), from.Int64(), from.UInt64());
}

/// <summary>Lines of which no record was made because the configuration says so, by reason.</summary>
/// <param name="Filtered">Lines that <c>include</c> and <c>exclude_lines</c> leave out.</param>
/// <param name="FilteredBytes">Bytes of the file that they take.</param>
/// <param name="Limited">Lines beyond <c>rate_limit</c>.</param>
/// <param name="LimitedBytes">Bytes of the file that they take.</param>
internal readonly record struct OmittedLines(long Filtered, long FilteredBytes, long Limited, long LimitedBytes)
{
    public static OmittedLines operator +(OmittedLines a, OmittedLines b) =>
        new(a.Filtered + b.Filtered, a.FilteredBytes + b.FilteredBytes, a.Limited + b.Limited, a.LimitedBytes + b.LimitedBytes);

    public void Write(StateWriter to)
    {
        to.Int64(Filtered);
        to.Int64(FilteredBytes);
        to.Int64(Limited);
        to.Int64(LimitedBytes);
    }

    public static OmittedLines Read(ref StateReader from) => new(from.Int64(), from.Int64(), from.Int64(), from.Int64());
}

/// <summary>The hash of a stretch of a file, by which it is known again.</summary>
/// <param name="Length">Bytes hashed; 0 = nothing known.</param>
/// <param name="Hash">64 bits in which each bit of the bytes tells; no defence against someone who looks for an equal.</param>
internal readonly record struct Fingerprint(int Length, ulong Hash)
{
    /// <summary>Bytes that a fingerprint covers once the file is long enough.</summary>
    public const int LengthMax = 1024;

    private const ulong FirstKey = 0xA0761D6478BD642F;
    private const ulong SecondKey = 0xE7037ED1A0B428DB;

    public static Fingerprint Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return default;
        }
        ulong hash = (ulong)bytes.Length;
        ReadOnlySpan<byte> rest = bytes;
        for (; rest.Length >= 16; rest = rest[16..])
        {
            hash = Step(hash, rest);
        }
        Span<byte> last = stackalloc byte[16];
        last.Clear();
        rest.CopyTo(last);
        hash = Step(hash, last);
        return new Fingerprint(bytes.Length, Fold(hash ^ SecondKey, FirstKey));
    }

    private static ulong Step(ulong hash, ReadOnlySpan<byte> block) => Fold(
        BinaryPrimitives.ReadUInt64LittleEndian(block) ^ FirstKey ^ hash, BinaryPrimitives.ReadUInt64LittleEndian(block[8..]) ^ SecondKey);

    /// <summary>The product's halves, one upon the other, as wyhash mixes; the running hash stays in it when a factor is 0.</summary>
    private static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low ^ a;
    }

    public void Write(StateWriter to)
    {
        to.Int32(Length);
        to.UInt64(Hash);
    }

    public static Fingerprint Read(ref StateReader from) => new(from.Int32(), from.UInt64());
}

/// <summary>Bytes that the agent read, or passed over, and that are in no record.</summary>
internal readonly record struct LeftOut(long Records, long Bytes, ulong Sum)
{
    public static LeftOut operator +(LeftOut a, LeftOut b) => new(a.Records + b.Records, a.Bytes + b.Bytes, a.Sum + b.Sum);

    public void Write(StateWriter to)
    {
        to.Int64(Records);
        to.Int64(Bytes);
        to.UInt64(Sum);
    }

    public static LeftOut Read(ref StateReader from) => new(from.Int64(), from.Int64(), from.UInt64());
}
