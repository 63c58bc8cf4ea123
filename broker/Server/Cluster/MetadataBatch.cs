using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster;

/// <summary>Metadata records in a record batch.</summary>
internal static class MetadataBatch
{
    /// <summary>One batch with all the records: they take effect together, or none of them does.</summary>
    public static byte[] Of(IEnumerable<IMetadataRecord> records, long now)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, int.MaxValue);
        foreach (IMetadataRecord record in records)
        {
            using FrameBuffer value = MetadataRecord.Encode(record);
            builder.TryAppend(now, value.Bytes.Span);
        }
        return builder.Build().ToArray();
    }

    /// <summary>The image after a batch that was read from <paramref name="path"/>.</summary>
    /// <exception cref="InvalidDataException">A record is damaged, of a newer program, or does not fit the image; the message says where.</exception>
    public static ClusterImage Apply(ClusterImage image, ReadOnlySpan<byte> batch, in BatchHeader header, string path)
    {
        using var decoder = new BatchDecoder();
        try
        {
            var reader = new RecordReader(decoder.Records(batch, in header), in header);
            while (reader.Read())
            {
                image = image.With(MetadataRecord.Decode(reader.Value.ToArray()));
            }
        }
        catch (Exception e) when (e is InvalidDataException or CorruptRecordException)
        {
            throw new InvalidDataException($"{path}, batch at offset {header.BaseOffset}: {e.Message}", e);
        }
        return image;
    }
}
