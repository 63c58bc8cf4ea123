using System.Buffers.Binary;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// What one generation of a file came to on each side: count, bytes and a hash that does not depend on the order of records, and
/// the file ranges that the topic holds and that rows or dead letters stand for.
/// </summary>
internal sealed class GenerationAccount(Source source)
{
    public Source Source { get; } = source;

    /// <summary>Ranges of all the topic's records.</summary>
    public StoredRanges InTopic { get; } = new();

    /// <summary>Ranges that rows or dead letters stand for.</summary>
    public StoredRanges InTable { get; } = new();

    public Figures Topic { get; } = new();

    public Figures Table { get; } = new();

    public FileSide? File { get; set; }

    /// <summary>Records whose value is not the file's bytes.</summary>
    public long Shaped { get; set; }

    public GenerationSummary Summary() => new(
        Source.Key.Topic, Source.Host, Source.File, Source.Key.GenerationText,
        Topic.Count, Topic.Bytes, Topic.Hash, Table.Count, Table.Bytes, Table.Hash, File?.Length);

    /// <summary>Count, bytes, hash.</summary>
    internal sealed class Figures
    {
        public long Count { get; private set; }

        public long Bytes { get; private set; }

        public ulong Hash { get; private set; }

        public void Add(long fileOffset, int part, ReadOnlySpan<byte> value) => Add(value.Length, HashOf(fileOffset, part, value));

        /// <summary>Adds a record whose hash is known.</summary>
        public void Add(long bytes, ulong hash)
        {
            Count++;
            Bytes += bytes;
            Hash += hash;
        }
    }

    internal static ulong HashOf(long fileOffset, int part, ReadOnlySpan<byte> value)
    {
        ulong hash = Mix((ulong)fileOffset ^ ((ulong)part << 48) ^ ((ulong)value.Length << 1));
        for (; value.Length >= 8; value = value[8..])
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(value));
        }
        foreach (byte last in value)
        {
            hash = Mix(hash ^ last);
        }
        return hash;
    }

    private static ulong Mix(ulong value)
    {
        value *= 0x9E3779B97F4A7C15;
        return value ^ (value >> 29);
    }
}
