using System.Buffers.Binary;

namespace LogPipeline.Protocol;

/// <summary>The 32-bit MurmurHash2 that Java clients place keys with (seed 0x9747b28c), so that the same key goes to the same partition.</summary>
public static class Murmur2
{
    private const uint M = 0x5bd1e995;

    /// <summary>The hash; of "21" it is -973932308.</summary>
    public static int Hash(ReadOnlySpan<byte> bytes)
    {
        uint h = 0x9747b28c ^ (uint)bytes.Length;
        for (; bytes.Length >= 4; bytes = bytes[4..])
        {
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(bytes) * M;
            h = (h * M) ^ ((k ^ (k >> 24)) * M);
        }
        for (int i = bytes.Length - 1; i >= 0; i--)
        {
            h ^= (uint)bytes[i] << (8 * i);
        }
        h = bytes.Length > 0 ? h * M : h;
        h = (h ^ (h >> 13)) * M;
        return (int)(h ^ (h >> 15));
    }

    /// <summary>The partition of a key, as Java's default partitioner places it.</summary>
    public static int Partition(ReadOnlySpan<byte> key, int partitionCount) => (Hash(key) & int.MaxValue) % partitionCount;
}
