using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using K4os.Compression.LZ4.Streams;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Protocol.Tests.Records;

/// <summary>Batches as others write them: Apache Kafka's own, and every legal shape of a gzip or lz4 stream.</summary>
public class ForeignBatchTests
{
    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Lz4)]
    public void Kafkas_batches_are_read(CompressionCodec codec)
    {
        byte[] batch = KafkasBatches().Single(b => BatchHeader.TryParse(b, out BatchHeader h) && h.Codec == codec);
        Assert.True(RecordBatch.CrcIsValid(batch));
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        Assert.Equal((40L, 5, 7L, (short)3, 11, 13, 3), (header.BaseOffset, header.LeaderEpoch, header.ProducerId, header.ProducerEpoch, header.BaseSequence, header.LastSequence, header.RecordCount));
        Assert.Equal((42L, 43L, 1700000000500L), (header.LastOffset, header.NextOffset, header.MaxTimestamp));

        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(batch, header), header);
        Assert.True(reader.Read());
        Assert.Equal((40L, 1700000000000L, "k", "first", 2), (reader.Offset, reader.Timestamp, Text(reader.Key), Text(reader.Value), reader.HeaderCount));
        Assert.True(reader.TryGetHeader("h"u8, out ReadOnlySpan<byte> x) && Text(x) == "x");
        Assert.True(reader.TryGetHeader("n"u8, out ReadOnlySpan<byte> none) && none.IsEmpty);
        Assert.True(reader.Read());
        Assert.Equal((41L, 1700000000500L, false, string.Concat(Enumerable.Repeat("second ", 20))), (reader.Offset, reader.Timestamp, reader.HasKey, Text(reader.Value)));
        Assert.True(reader.Read());
        Assert.Equal((42L, 1699999999000L, "last", false), (reader.Offset, reader.Timestamp, Text(reader.Key), reader.HasValue));
        Assert.False(reader.Read());
    }

    /// <summary>Linked blocks, block and content checksums, content size; 64 KiB and 4 MiB blocks; two frames in a row.</summary>
    [Theory]
    [InlineData(4, true, false, false, false)]
    [InlineData(4, false, true, true, false)]
    [InlineData(7, false, true, false, true)]
    [InlineData(5, true, true, true, true)]
    public void Any_lz4_frame_is_read(int blockSizeId, bool isLinked, bool contentChecksum, bool blockChecksum, bool saysSize)
    {
        byte[] records = Records(3000);
        byte[] first = Lz4(records.AsSpan(0, 100_000), blockSizeId, isLinked, contentChecksum, blockChecksum, saysSize);
        byte[] second = Lz4(records.AsSpan(100_000), blockSizeId, isLinked, contentChecksum, blockChecksum, saysSize);
        byte[] batch = Batch(CompressionCodec.Lz4, 3000, [.. first, .. second]);
        Assert.Equal(records, Decoded(batch, records.Length));

        batch[^1] ^= 0x55;
        Assert.ThrowsAny<CorruptRecordException>(() => Decoded(batch, records.Length));
        Assert.ThrowsAny<CorruptRecordException>(() => Decoded(Batch(CompressionCodec.Lz4, 3000, first.AsSpan(0, first.Length - 3)), records.Length));
    }

    [Fact]
    public void Several_gzip_members_are_one_stream()
    {
        byte[] records = Records(3000);
        Assert.Equal(records, Decoded(Batch(CompressionCodec.Gzip, 3000, [.. Gzip(records.AsSpan(0, 5000)), .. Gzip(records.AsSpan(5000))]), records.Length));
    }

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Lz4)]
    public void The_limit_is_exact(CompressionCodec codec)
    {
        byte[] records = Records(3000);
        byte[] batch = Batch(codec, 3000, codec == CompressionCodec.Gzip ? Gzip(records) : Lz4(records, 4, isLinked: false, contentChecksum: false, blockChecksum: false, saysSize: false));
        Assert.Equal(records, Decoded(batch, records.Length));
        Assert.Throws<CorruptRecordException>(() => Decoded(batch, records.Length - 1));
    }

    [Theory]
    [InlineData((CompressionCodec)5)]
    [InlineData((CompressionCodec)7)]
    public void A_codec_that_is_not_there_is_named(CompressionCodec codec)
    {
        byte[] batch = Batch(codec, 1, [1, 2, 3]);
        Assert.Throws<UnsupportedCompressionException>(() => Decoded(batch, 100));
        Assert.Throws<UnsupportedCompressionException>(() => new RecordBatchBuilder(codec, 100));
    }

    private static byte[] Decoded(byte[] batch, int bytesMax)
    {
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        using var decoder = new BatchDecoder();
        return decoder.Records(batch, header, bytesMax).ToArray();
    }

    private static byte[] Records(int count)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 64 << 20);
        var random = new Random(count);
        for (int i = 0; i < count; i++)
        {
            builder.TryAppend(i, Encoding.UTF8.GetBytes($"GET /item/{random.Next()} for number {i} of the list of {random.Next()} items"));
        }
        return builder.Build()[RecordBatch.HeaderSize..].ToArray();
    }

    private static byte[] Batch(CompressionCodec codec, int count, ReadOnlySpan<byte> packed)
    {
        byte[] batch = new byte[RecordBatch.HeaderSize + packed.Length];
        packed.CopyTo(batch.AsSpan(RecordBatch.HeaderSize));
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12);
        batch[16] = 2;
        batch[22] = (byte)codec;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(23), count - 1);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(57), count);
        RecordBatch.Seal(batch);
        return batch;
    }

    private static byte[] Gzip(ReadOnlySpan<byte> plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(plain);
        }
        return packed.ToArray();
    }

    // Block sizes as in the frame's header: 4 = 64 KiB to 7 = 4 MiB.
    private static byte[] Lz4(ReadOnlySpan<byte> plain, int blockSizeId, bool isLinked, bool contentChecksum, bool blockChecksum, bool saysSize)
    {
        using var packed = new MemoryStream();
        LZ4EncoderSettings settings = new()
        {
            BlockSize = 1 << (8 + (2 * blockSizeId)),
            ChainBlocks = isLinked,
            ContentChecksum = contentChecksum,
            BlockChecksum = blockChecksum,
        };
        using (LZ4EncoderStream lz4 = LZ4Stream.Encode(packed, settings, leaveOpen: true))
        {
            lz4.Write(plain);
        }
        byte[] frame = packed.ToArray();
        return saysSize ? WithContentSize(frame, plain.Length) : frame;
    }

    private static byte[] WithContentSize(ReadOnlySpan<byte> frame, long size)
    {
        byte[] longer = [.. frame[..6], .. new byte[9], .. frame[7..]];
        longer[4] |= 0x08;
        BinaryPrimitives.WriteInt64LittleEndian(longer.AsSpan(6), size);
        longer[14] = (byte)(XxHash32.HashToUInt32(longer.AsSpan(4, 10)) >> 8);
        return longer;
    }

    private static IEnumerable<byte[]> KafkasBatches() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Records", "kafka-batches.txt")).Where(l => !l.StartsWith('#')).Select(Convert.FromHexString);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
