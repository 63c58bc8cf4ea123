using System.Buffers.Binary;

namespace LogPipeline.Agent.State;

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

    /// <summary>Whether bytes begin with those that were hashed; true where nothing is known.</summary>
    public bool IsBeginOf(ReadOnlySpan<byte> bytes) => bytes.Length >= Length && Of(bytes[..Length]) == this;

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
