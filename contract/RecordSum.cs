using System.Buffers.Binary;
using System.Numerics;

namespace LogPipeline.Contract;

/// <summary>
/// The checksum by which file, topic and table compare the records of a generation: the sum, modulo 2^64, of one term per record.
/// A sum does not depend on the order of the rows, and the term of a record that was left out can be subtracted again.
/// </summary>
public static class RecordSum
{
    /// <summary>Returns the term of the record that ends at byte <paramref name="end"/> of its file: CRC-32C of the value, mixed with that position.</summary>
    public static ulong Term(long end, ReadOnlySpan<byte> value)
    {
        // The finalizer of SplitMix64: each bit of position and checksum moves about half of the term's bits.
        ulong term = ((ulong)end * 0x9E3779B97F4A7C15) ^ ((ulong)Checksum(value) << 16);
        term = (term ^ (term >> 30)) * 0xBF58476D1CE4E5B9;
        term = (term ^ (term >> 27)) * 0x94D049BB133111EB;
        return term ^ (term >> 31);
    }

    /// <summary>Returns the sum by which a record whose value is not the file's bytes is held against its file: 24 bits of CRC-32C of those bytes.</summary>
    public static int OfFile(ReadOnlySpan<byte> bytes) => (int)(Checksum(bytes) & 0xffffff);

    private static uint Checksum(ReadOnlySpan<byte> value)
    {
        uint crc = uint.MaxValue;
        while (value.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(value));
            value = value[8..];
        }
        foreach (byte b in value)
        {
            crc = BitOperations.Crc32C(crc, b);
        }
        return ~crc;
    }
}
