using System.Buffers.Binary;
using System.Text;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;

namespace LogPipeline.Protocol.Tests.Records.Legacy;

/// <summary>What a producer of format 0 or 1 may send, and what not.</summary>
public sealed class UpConverterTests
{
    private static readonly ConversionLimits Limits = new(1 << 20, 1 << 20);

    [Fact]
    public void A_message_is_as_the_documents_say()
    {
        Assert.Equal(
            "0000000000000000" + "00000010" + "1fecd70a" + "00" + "00" + "00000001" + "6b" + "00000001" + "76",
            Convert.ToHexStringLower(Message(0, "k", "v")));
        Assert.Equal(
            "0000000000000000" + "00000018" + "39268c33" + "01" + "00" + "0000018bcfe56800" + "00000001" + "6b" + "00000001" + "76",
            Convert.ToHexStringLower(Message(1, "k", "v")));
    }

    [Fact]
    public void Formats_are_not_mixed_and_wrappers_stand_alone()
    {
        byte[] zero = Message(0, "k", "v");
        byte[] one = Message(1, "k", "v");
        byte[] wrapper = Wrapper(1, CompressionCodec.Gzip, one);
        Invalid([.. zero, .. one]);
        Invalid([.. one, .. zero]);
        Invalid([.. wrapper, .. one]);
        Invalid([.. one, .. wrapper]);
        Invalid(Wrapper(1, CompressionCodec.Gzip, zero));
        Invalid(Wrapper(0, CompressionCodec.Gzip, one));
        Assert.Equal(1, Count(wrapper));
    }

    [Fact]
    public void A_wrapper_in_a_wrapper_is_refused()
    {
        byte[] inner = Wrapper(0, CompressionCodec.Snappy, Message(0, "k", "v"));
        Invalid(Wrapper(0, CompressionCodec.Gzip, inner));
        Invalid(Wrapper(0, CompressionCodec.Gzip, [.. Message(0, "k", "v"), .. inner]));
    }

    [Fact]
    public void A_wrapper_has_messages_and_a_codec_that_there_is()
    {
        byte[] message = Message(1, "k", "v");
        Invalid(Wrapper(1, CompressionCodec.Zstd, message));
        Invalid(Wrapper(1, CompressionCodec.Gzip, []));
        byte[] unknown = Wrapper(1, CompressionCodec.Gzip, message);
        unknown[17] = 7;
        Batches.SealMessage(unknown);
        Invalid(unknown);
        byte[] empty = Message(1, null, null);
        empty[17] = 1;
        Batches.SealMessage(empty);
        Invalid(empty);
        Invalid([]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_checksum_of_every_message_counts_also_inside_a_wrapper(sbyte magic)
    {
        byte[] good = Message(magic, "k", "v");
        byte[] bad = [.. good];
        bad[^1] ^= 1;
        Assert.Throws<CorruptRecordException>(() => Count(bad));
        Assert.Throws<CorruptRecordException>(() => Count([.. good, .. bad]));
        Assert.Throws<CorruptRecordException>(() => Count(Wrapper(magic, CompressionCodec.Lz4, [.. good, .. bad])));
        Assert.Equal(2, Count(Wrapper(magic, CompressionCodec.Lz4, [.. good, .. good])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_set_that_is_cut_is_refused_whole(sbyte magic)
    {
        byte[] set = [.. Message(magic, "k", "v"), .. Message(magic, "key", "value")];
        for (int length = 0; length < set.Length; length++)
        {
            if (length != Message(magic, "k", "v").Length)
            {
                Invalid(set[..length]);
            }
        }
        Invalid(Wrapper(magic, CompressionCodec.Snappy, set[..^1]));
    }

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    public void A_wrapper_unpacks_to_the_limit_and_no_further(CompressionCodec codec)
    {
        byte[] bomb = Wrapper(1, codec, Message(1, null, new string('0', 900_000)));
        using var converter = new UpConverter();
        Assert.Equal(1, Count(bomb));
        CorruptRecordException refused = Assert.Throws<CorruptRecordException>(
            () => converter.Convert(bomb, null, null, new ConversionLimits(1 << 20, 800_000)));
        Assert.True(refused.IsTooLong);
    }

    [Fact]
    public void What_is_not_compressed_is_held_to_the_largest_batch()
    {
        byte[] set = [.. Enumerable.Range(0, 100).SelectMany(static _ => Message(1, null, new string('x', 1000)))];
        using var converter = new UpConverter();
        Assert.True(Assert.Throws<CorruptRecordException>(() => converter.Convert(set, null, null, new ConversionLimits(50_000, 1 << 20))).IsTooLong);
        Assert.True(Assert.Throws<CorruptRecordException>(() => converter.Convert(set, CompressionCodec.Zstd, null, new ConversionLimits(50_000, 50_000))).IsTooLong);
        Assert.InRange(converter.Convert(set, CompressionCodec.Zstd, null, new ConversionLimits(50_000, 1 << 20)).Length, 61, 50_000);
    }

    /// <summary>Old clients of format 1 write 0 everywhere, or the first offset of the next set.</summary>
    [Fact]
    public void Offsets_of_a_producer_do_not_count_unless_they_cannot_be()
    {
        byte[] set = [.. Message(1, "k", "v"), .. Message(1, "k", "v")];
        foreach (long offset in (long[])[0, 1, 1000])
        {
            byte[] wrapper = Wrapper(1, CompressionCodec.Gzip, set);
            BinaryPrimitives.WriteInt64BigEndian(wrapper, offset);
            Assert.Equal(2, Count(wrapper));
        }
        byte[] late = Message(1, "k", "v");
        BinaryPrimitives.WriteInt64BigEndian(late, 5);
        byte[] short1 = Wrapper(1, CompressionCodec.Gzip, late);
        BinaryPrimitives.WriteInt64BigEndian(short1, 4);
        Invalid(short1);
    }

    internal static byte[] Message(sbyte magic, string? key, string? value)
    {
        byte[] batch = Batches.WithGap(CompressionCodec.None, null, [(1_700_000_000_000, key, value), (0, null, null)], removed: 1, baseOffset: 0);
        return Batches.Down(batch, magic, 0);
    }

    private static byte[] Wrapper(sbyte magic, CompressionCodec codec, byte[] messages)
    {
        using ICompressor compressor = Compressors.Create(codec, ofFormat0: magic == 0);
        byte[] packed = [];
        int end = compressor.Compress(messages, ref packed, 0);
        byte[] wrapper = Message(magic, null, Encoding.Latin1.GetString(packed.AsSpan(0, end)));
        wrapper[17] = (byte)codec;
        Batches.SealMessage(wrapper);
        return wrapper;
    }

    private static int Count(byte[] set)
    {
        using var converter = new UpConverter();
        Assert.True(BatchHeader.TryParse(converter.Convert(set, null, null, in Limits).Span, out BatchHeader header));
        return header.RecordCount;
    }

    private static void Invalid(byte[] set) => Assert.Throws<InvalidRecordException>(() => Count(set));
}
