using System.Numerics;
using System.Runtime.CompilerServices;

namespace LogPipeline.Protocol.Wire;

/// <summary>
/// Variable-length integers: 7 bits a byte, low group first, the high bit says that more follow. Signed ones are zigzag coded
/// (0, -1, 1, -2 become 0, 1, 2, 3).
/// </summary>
public static class Varint
{
    /// <summary>Bytes that <paramref name="value"/> takes unsigned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int UnsignedSize(ulong value) => (BitOperations.Log2(value | 1) + 7) / 7;

    /// <summary>Bytes that <paramref name="value"/> takes zigzag coded.</summary>
    public static int Size(long value) => UnsignedSize(ZigZag(value));

    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    /// <summary>Writes unsigned; the span must have room for 10 bytes or what <see cref="UnsignedSize"/> says. Gives the count.</summary>
    public static int WriteUnsigned(Span<byte> to, ulong value)
    {
        int i = 0;
        while (value > 0x7f)
        {
            to[i++] = (byte)(value | 0x80);
            value >>= 7;
        }
        to[i++] = (byte)value;
        return i;
    }

    /// <summary>Writes the value zigzag coded and returns the number of bytes.</summary>
    public static int Write(Span<byte> to, long value) => WriteUnsigned(to, ZigZag(value));

    /// <summary>Reads unsigned, at most 10 bytes; false when the bytes end or run over 64 bits.</summary>
    public static bool TryReadUnsigned(ReadOnlySpan<byte> from, out ulong value, out int size)
    {
        value = 0;
        size = 0;
        for (int shift = 0; size < from.Length && shift < 70; shift += 7)
        {
            byte b = from[size++];
            if (shift == 63 && b > 1)
            {
                return false;
            }
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Reads zigzag coded.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out long value, out int size)
    {
        bool ok = TryReadUnsigned(from, out ulong raw, out size);
        value = UnZigZag(raw);
        return ok;
    }
}
