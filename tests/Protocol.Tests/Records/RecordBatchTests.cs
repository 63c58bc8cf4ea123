using System.Text;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Protocol.Tests.Records;

public class RecordBatchTests
{
    /// <summary>One record k→v, header h→null, time 1700000000000.</summary>
    private const string Golden =
        "0000000000000000" + "0000003d" + "ffffffff" + "02" + "ecc46c11" + "0000" + "00000000" + "0000018bcfe56800" + "0000018bcfe56800" +
        "ffffffffffffffff" + "ffff" + "ffffffff" + "00000001" + "16" + "00" + "00" + "00" + "026b" + "0276" + "02" + "0268" + "01";

    [Fact]
    public void Crc_of_the_check_string_is_the_known_one() => Assert.Equal(0xe3069283u, Crc32C.Compute("123456789"u8));

    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("abc", 479470107)]
    public void Murmur2_is_javas(string key, int hash) => Assert.Equal(hash, Murmur2.Hash(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void A_batch_of_one_record_is_the_golden_bytes()
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1000);
        Assert.True(builder.TryAppend(1700000000000, true, "k"u8, true, "v"u8, 1, [2, (byte)'h', 1]));
        byte[] batch = builder.Build().ToArray();
        RecordBatch.Stamp(batch, 0, -1);
        Assert.Equal(Golden, Convert.ToHexStringLower(batch));
        Assert.True(RecordBatch.CrcIsValid(batch));
    }

    [Theory]
    [InlineData(CompressionCodec.None, 10)]
    [InlineData(CompressionCodec.Gzip, 10)]
    [InlineData(CompressionCodec.Lz4, 10)]
    [InlineData(CompressionCodec.Gzip, 30_000)]
    [InlineData(CompressionCodec.Lz4, 30_000)]
    [InlineData(CompressionCodec.Snappy, 10)]
    [InlineData(CompressionCodec.Snappy, 30_000)]
    [InlineData(CompressionCodec.Zstd, 10)]
    [InlineData(CompressionCodec.Zstd, 30_000)]
    public void What_is_appended_is_read(CompressionCodec codec, int count)
    {
        using var builder = new RecordBatchBuilder(codec, 64 << 20);
        Span<byte> headers = stackalloc byte[RecordHeaders.Size(4, 5)];
        RecordHeaders.Write(headers, "host"u8, "web-1"u8);
        for (int i = 0; i < count; i++)
        {
            Assert.True(builder.TryAppend(1000 + i, Encoding.UTF8.GetBytes($"line {i} of the log"), 1, headers));
        }
        ReadOnlySpan<byte> batch = builder.Build(7, 3, int.MaxValue - 5).Span;
        Assert.True(RecordBatch.CrcIsValid(batch));
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        Assert.Equal((7L, (short)3, int.MaxValue - 5, count, codec), (header.ProducerId, header.ProducerEpoch, header.BaseSequence, header.RecordCount, header.Codec));
        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(batch, header), header);
        for (int i = 0; i < count; i++)
        {
            Assert.True(reader.Read());
            Assert.Equal(((long)i, 1000L + i), (reader.Offset, reader.Timestamp));
            Assert.Equal($"line {i} of the log", Encoding.UTF8.GetString(reader.Value));
            Assert.True(reader.TryGetHeader("host"u8, out ReadOnlySpan<byte> host));
            Assert.True(host.SequenceEqual("web-1"u8));
            Assert.False(reader.TryGetHeader("file"u8, out _));
        }
        Assert.False(reader.Read());
    }

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Zstd)]
    public void A_batch_that_unpacks_to_more_than_allowed_is_refused(CompressionCodec codec)
    {
        using var builder = new RecordBatchBuilder(codec, 64 << 20);
        builder.TryAppend(0, new byte[10 << 20]);
        byte[] batch = builder.Build().ToArray();
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        using var decoder = new BatchDecoder();
        Assert.Throws<CorruptRecordException>(() => { _ = decoder.Records(batch, header, 1 << 20); });
        Assert.InRange(decoder.Records(batch, header).Length, 10 << 20, (10 << 20) + 32);
    }
}
