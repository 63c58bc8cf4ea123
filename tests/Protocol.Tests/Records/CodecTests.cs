using System.Buffers.Binary;
using System.Text;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Tests.Records;

/// <summary>Each codec by itself: levels, the shapes of its stream, hostile bytes, and what it allocates.</summary>
public sealed class CodecTests
{
    private const int BytesMax = 1 << 20;

    public static TheoryData<CompressionCodec> All => [.. Enum.GetValues<CompressionCodec>()];

    [Theory]
    [MemberData(nameof(All))]
    public void What_is_compressed_comes_back_at_every_length(CompressionCodec codec)
    {
        var random = new Random(1);
        using ICompressor compressor = Compressors.Create(codec);
        byte[] packed = [];
        byte[] plain = [];
        for (int i = 0; i < 300; i++)
        {
            byte[] bytes = Some(random, random.Next(5) == 0 ? random.Next(300_000) : random.Next(2000));
            int end = compressor.Compress(bytes, ref packed, 61);
            int length = compressor.Decompress(packed.AsSpan(61, end - 61), ref plain, BytesMax);
            Assert.True(bytes.AsSpan().SequenceEqual(plain.AsSpan(0, length)));
        }
    }

    [Theory]
    [InlineData(CompressionCodec.Gzip, 1, 9)]
    [InlineData(CompressionCodec.Lz4, 1, 17)]
    [InlineData(CompressionCodec.Zstd, -131072, 22)]
    public void Every_level_of_Kafka_is_there_and_no_other(CompressionCodec codec, int least, int most)
    {
        byte[] bytes = Some(new Random(2), 50_000);
        foreach (int level in (int[])[least, -5, 1, 2, 3, 6, 9, 12, 17, 19, most])
        {
            if (level < least || level > most)
            {
                continue;
            }
            using ICompressor compressor = Compressors.Create(codec, level);
            byte[] packed = [];
            int end = compressor.Compress(bytes, ref packed, 0);
            Assert.Equal(bytes, Plain(compressor, packed.AsSpan(0, end)));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => Compressors.Create(codec, least - 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Compressors.Create(codec, most + 1));
    }

    [Fact]
    public void Lz4_is_written_as_every_client_reads_it()
    {
        using ICompressor lz4 = Compressors.Create(CompressionCodec.Lz4);
        byte[] packed = [];
        int end = lz4.Compress("aaaa"u8, ref packed, 0);
        // Magic, version 1 with independent blocks of 64 KiB, header checksum; one stored block of four bytes; end mark.
        Assert.Equal("04224d18604082" + "04000080" + "61616161" + "00000000", Convert.ToHexStringLower(packed.AsSpan(0, end)));
    }

    [Fact]
    public void Snappy_is_read_framed_and_bare()
    {
        byte[] bytes = Some(new Random(3), 100_000);
        using ICompressor snappy = Compressors.Create(CompressionCodec.Snappy);
        byte[] packed = [];
        int end = snappy.Compress(bytes, ref packed, 0);
        Assert.Equal("82534e41505059000000000100000001", Convert.ToHexStringLower(packed.AsSpan(0, 16)));
        Assert.Equal(bytes, Plain(snappy, packed.AsSpan(0, end)));
        Assert.Equal(bytes, Plain(snappy, Snappier.Snappy.CompressToArray(bytes)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Damaged_bytes_never_do_more_than_be_refused(CompressionCodec codec)
    {
        var random = new Random(4);
        using ICompressor compressor = Compressors.Create(codec);
        byte[] packed = [];
        byte[] plain = [];
        for (int i = 0; i < 3000; i++)
        {
            int end = compressor.Compress(Some(random, random.Next(3000)), ref packed, 0);
            Span<byte> bytes = packed.AsSpan(0, random.Next(3) == 0 ? random.Next(end + 1) : end);
            for (int flips = random.Next(4); flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }
            try
            {
                Assert.InRange(compressor.Decompress(bytes, ref plain, 10_000), 0, 10_000);
            }
            catch (CorruptRecordException)
            {
                // What is promised.
            }
            Assert.InRange(plain.Length, 0, 1 << 19);
        }
    }

    [Fact]
    public void A_length_that_lies_costs_no_memory()
    {
        byte[] plain = [];
        using ICompressor snappy = Compressors.Create(CompressionCodec.Snappy);
        Assert.Throws<CorruptRecordException>(() => snappy.Decompress([0xff, 0xff, 0x3f, 0], ref plain, BytesMax)); // "1 MiB"
        using ICompressor lz4 = Compressors.Create(CompressionCodec.Lz4);
        byte[] frame = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(7), 60_000); // a block that is not there
        Assert.Throws<CorruptRecordException>(() => lz4.Decompress(frame, ref plain, BytesMax));
        Assert.Empty(plain);
    }

    /// <summary>The runtime's gzip makes its streams anew for each batch, Snappier a small object a block; the others work in what they have.</summary>
    [Theory]
    [InlineData(CompressionCodec.None, 0)]
    [InlineData(CompressionCodec.Gzip, 2000)]
    [InlineData(CompressionCodec.Snappy, 1000)]
    [InlineData(CompressionCodec.Lz4, 0)]
    [InlineData(CompressionCodec.Zstd, 0)]
    public void A_batch_allocates_nothing_once_the_buffers_have_grown(CompressionCodec codec, long bytesPerCall)
    {
        byte[] bytes = Some(new Random(5), 200_000);
        using ICompressor compressor = Compressors.Create(codec);
        byte[] packed = [];
        byte[] plain = [];
        long Run(int times)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < times; i++)
            {
                int end = compressor.Compress(bytes, ref packed, 0);
                compressor.Decompress(packed.AsSpan(0, end), ref plain, BytesMax);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Run(50);
        Assert.InRange(Run(100), 0, (100 * bytesPerCall) + 200);
    }

    private static byte[] Plain(ICompressor compressor, ReadOnlySpan<byte> packed)
    {
        byte[] buffer = [];
        int length = compressor.Decompress(packed, ref buffer, BytesMax);
        return buffer[..length];
    }

    // Text that repeats, with noise in between.
    private static byte[] Some(Random random, int length)
    {
        var text = new StringBuilder();
        while (text.Length < length)
        {
            text.Append(random.Next(3) == 0 ? $"{random.Next():x}" : "GET /index.html HTTP/1.1 ");
        }
        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }
}
