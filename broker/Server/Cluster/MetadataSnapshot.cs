using System.Buffers.Binary;
using System.Globalization;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Files;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Broker.Cluster;

/// <summary>
/// The cluster's state at an offset of the metadata log, in a file beside the log, so that the log below it can go. Named and laid
/// out as Kafka's: record batches, the first a control batch with a snapshot header, the last one with a snapshot footer.
/// <code>
/// 00000000000000000120-0000000007.checkpoint      end offset, leader epoch of the last record below it
/// </code>
/// </summary>
internal static class MetadataSnapshot
{
    private const string Suffix = ".checkpoint";
    private const short ControlBatch = 0x20;
    private const short HeaderType = 3;
    private const short FooterType = 4;
    private const int BatchBytesMax = 1 << 20;

    /// <summary>Writes a snapshot, durable on return.</summary>
    /// <exception cref="IOException">The disk refused; what was there before stays.</exception>
    public static void Write(IFileSystem files, string directory, long endOffset, int epoch, ClusterImage image, long now)
    {
        using var content = new MemoryStream();
        using var builder = new RecordBatchBuilder(CompressionCodec.None, BatchBytesMax);
        long offset = 0;
        byte[] header = new byte[11]; // version 0, timestamp of the last record below, no tagged fields
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(2), now);
        builder.TryAppend(now, true, ControlKey(HeaderType), true, header, 0, default);
        End(ControlBatch);
        foreach (IMetadataRecord record in image.ToRecords())
        {
            using Protocol.Wire.FrameBuffer value = MetadataRecord.Encode(record);
            if (!builder.TryAppend(now, value.Bytes.Span))
            {
                End(0);
                builder.TryAppend(now, value.Bytes.Span);
            }
        }
        End(0);
        builder.TryAppend(now, true, ControlKey(FooterType), true, new byte[3], 0, default);
        End(ControlBatch);
        AtomicFile.Replace(files, PathOf(directory, endOffset, epoch), content.ToArray());

        void End(short attributes)
        {
            if (builder.Count > 0)
            {
                int count = builder.Count;
                Span<byte> batch = builder.Build(extraAttributes: attributes).Span;
                RecordBatch.Stamp(batch, offset, epoch);
                content.Write(batch);
                offset += count;
                builder.Reset();
            }
        }
    }

    /// <summary>The end offsets of the snapshots that are there, ascending, with their paths.</summary>
    public static List<(long EndOffset, string Path)> List(IFileSystem files, string directory)
    {
        var found = new List<(long, string)>();
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (entry.Name.Length == 31 + Suffix.Length
                && entry.Name.EndsWith(Suffix, StringComparison.Ordinal)
                && long.TryParse(entry.Name.AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out long endOffset))
            {
                found.Add((endOffset, directory + "/" + entry.Name));
            }
        }
        return found;
    }

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of a newer program.</exception>
    public static ClusterImage Read(IFileSystem files, string path)
    {
        ReadOnlyMemory<byte> rest = AtomicFile.ReadAll(files, path);
        var image = new ClusterImage { ClusterId = "" };
        bool hasHeader = false;
        bool hasFooter = false;
        while (!rest.IsEmpty)
        {
            if (hasFooter
                || !BatchHeader.TryParse(rest.Span, out BatchHeader header)
                || header.SizeInBytes > rest.Length
                || !RecordBatch.CrcIsValid(rest.Span[..header.SizeInBytes]))
            {
                throw Damaged(path);
            }
            if (header.IsControl)
            {
                hasFooter = hasHeader;
                hasHeader = true;
            }
            else
            {
                image = MetadataBatch.Apply(image, rest.Span[..header.SizeInBytes], in header, path);
            }
            rest = rest[header.SizeInBytes..];
        }
        return hasFooter ? image : throw Damaged(path);
    }

    private static InvalidDataException Damaged(string path) => new(
        $"{path} is damaged. It says which topics there are; restore it from a copy of the data directory.");

    private static string PathOf(string directory, long endOffset, int epoch) =>
        string.Create(CultureInfo.InvariantCulture, $"{directory}/{endOffset:D20}-{epoch:D10}{Suffix}");

    private static byte[] ControlKey(short type)
    {
        byte[] key = new byte[4];
        BinaryPrimitives.WriteInt16BigEndian(key.AsSpan(2), type);
        return key;
    }
}
