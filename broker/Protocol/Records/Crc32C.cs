using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace LogPipeline.Protocol.Records;

/// <summary>CRC-32C (Castagnoli) by the processor's instruction, eight bytes at a time; software where there is none.</summary>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>; of "123456789" it is e3069283.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Extend(~0u, bytes);

    /// <summary>Goes on from the raw state of earlier bytes (the complement of their checksum).</summary>
    public static uint Extend(uint state, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            state = BitOperations.Crc32C(state, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }
        foreach (byte b in bytes[(words.Length * 8)..])
        {
            state = BitOperations.Crc32C(state, b);
        }
        return state;
    }
}
