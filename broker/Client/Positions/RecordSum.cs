using System.Buffers.Binary;
using System.Numerics;

namespace LogPipeline.Client.Positions;

/// <summary>
/// The total by which agent, topic and table compare the records of a generation: the sum, modulo 2^64, of one term a record.
/// A sum does not depend on the order in which a table gives its rows, and what was left out can be taken off again.
/// </summary>
public static class RecordSum
{
    /// <summary>The term of the record that ends at <paramref name="end"/>: CRC-32C of its value mixed with the position.</summary>
    public static ulong Term(long end, ReadOnlySpan<byte> value)
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
        // The finalizer of SplitMix64: each bit of position and checksum moves about half of the term's bits.
        ulong term = ((ulong)end * 0x9E3779B97F4A7C15) ^ ((ulong)~crc << 16);
        term = (term ^ (term >> 30)) * 0xBF58476D1CE4E5B9;
        term = (term ^ (term >> 27)) * 0x94D049BB133111EB;
        return term ^ (term >> 31);
    }
}
