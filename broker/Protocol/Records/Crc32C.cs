using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace LogPipeline.Protocol.Records;

/// <summary>CRC-32C (Castagnoli) by the processor's instruction, eight bytes at a time; software where there is none.</summary>
/// <remarks>
/// The instruction can start every cycle but answers after three, so long inputs go through in three lanes. A lane's state moves
/// past the next lane by a table of what its bytes become after as many zeros; the CRC is linear, so the parts combine by xor.
/// </remarks>
public static class Crc32C
{
    private const int LaneWords = 128;
    private static readonly uint[] AfterLane = ZerosTable();

    /// <summary>The checksum of <paramref name="bytes"/>; of "123456789" it is e3069283.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Extend(~0u, bytes);

    /// <summary>Goes on from the raw state of earlier bytes (the complement of their checksum).</summary>
    public static uint Extend(uint state, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        ReadOnlySpan<byte> rest = bytes[(words.Length * 8)..];
        for (; words.Length >= 3 * LaneWords; words = words[(3 * LaneWords)..])
        {
            state = ThreeLanes(state, words[..LaneWords], words.Slice(LaneWords, LaneWords), words.Slice(2 * LaneWords, LaneWords));
        }
        foreach (ulong word in words)
        {
            state = BitOperations.Crc32C(state, Ordered(word));
        }
        foreach (byte b in rest)
        {
            state = BitOperations.Crc32C(state, b);
        }
        return state;
    }

    private static uint ThreeLanes(uint first, ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b, ReadOnlySpan<ulong> c)
    {
        uint second = 0;
        uint third = 0;
        for (int i = 0; i < a.Length && i < b.Length && i < c.Length; i++)
        {
            first = BitOperations.Crc32C(first, Ordered(a[i]));
            second = BitOperations.Crc32C(second, Ordered(b[i]));
            third = BitOperations.Crc32C(third, Ordered(c[i]));
        }
        return PastLane(PastLane(first) ^ second) ^ third;
    }

    private static uint PastLane(uint state) =>
        AfterLane[state & 0xff] ^ AfterLane[256 + ((state >> 8) & 0xff)] ^ AfterLane[512 + ((state >> 16) & 0xff)] ^ AfterLane[768 + (state >> 24)];

    private static uint[] ZerosTable()
    {
        uint[] table = new uint[4 * 256];
        for (int i = 0; i < table.Length; i++)
        {
            uint state = (uint)(i & 0xff) << (8 * (i >> 8));
            for (int n = 0; n < LaneWords; n++)
            {
                state = BitOperations.Crc32C(state, 0UL);
            }
            table[i] = state;
        }
        return table;
    }

    private static ulong Ordered(ulong word) => BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
}
