using System.Buffers.Binary;
using System.Text;

namespace LogPipeline.Agent.Shipping;

/// <summary>Chooses a file's partition: murmur2 as Kafka's own producers use it, over host and first path.</summary>
internal static class Partitioning
{
    private const uint Seed = 0x9747b28c;
    private const uint Mix = 0x5bd1e995;

    public static int Choose(PartitionRule rule, string host, string path, int partitions)
    {
        byte[] key = Encoding.UTF8.GetBytes(rule == PartitionRule.Host ? host : $"{host}\0{path}");
        return (int)((Murmur2(key) & 0x7fffffff) % (uint)partitions);
    }

    public static uint Murmur2(ReadOnlySpan<byte> data)
    {
        uint hash = Seed ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(data) * Mix;
            k = (k ^ (k >> 24)) * Mix;
            hash = (hash * Mix) ^ k;
            data = data[4..];
        }
        for (int i = data.Length - 1; i >= 0; i--)
        {
            hash ^= (uint)data[i] << (8 * i);
        }
        if (data.Length > 0)
        {
            hash *= Mix;
        }
        hash = (hash ^ (hash >> 13)) * Mix;
        return hash ^ (hash >> 15);
    }
}
