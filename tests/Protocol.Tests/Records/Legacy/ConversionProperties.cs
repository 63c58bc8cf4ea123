using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;

namespace LogPipeline.Protocol.Tests.Records.Legacy;

/// <summary>What holds for all batches; seeded, so that a failure comes again.</summary>
public sealed class ConversionProperties
{
    public static TheoryData<CompressionCodec, sbyte> All => new()
    {
        { CompressionCodec.None, 0 }, { CompressionCodec.Gzip, 0 }, { CompressionCodec.Snappy, 0 }, { CompressionCodec.Lz4, 0 },
        { CompressionCodec.None, 1 }, { CompressionCodec.Gzip, 1 }, { CompressionCodec.Snappy, 1 }, { CompressionCodec.Lz4, 1 },
    };

    [Theory]
    [MemberData(nameof(All))]
    public void Records_come_back_without_their_headers(CompressionCodec codec, sbyte magic)
    {
        var random = new Random(20_240_101 + (2 * (int)codec) + magic);
        using var up = new UpConverter();
        for (int i = 0; i < 200; i++)
        {
            byte[] batch = Some(codec, random, count: 1 + random.Next(30), sizeMax: random.Next(4) == 0 ? 5000 : 50);
            List<Seen> expected = Records(batch);
            List<Seen> sent = SetSplit.Messages(Batches.Down(batch, magic, 0));
            Assert.Equal(expected.Select(record => magic == 0 ? record with { Timestamp = -1 } : record), sent);
            var back = new List<Seen>();
            foreach (byte[] entry in codec == CompressionCodec.None ? [Batches.Down(batch, magic, 0)] : SetSplit.Entries(Batches.Down(batch, magic, 0)))
            {
                int before = back.Count;
                byte[] one = up.Convert(entry, null, null, new ConversionLimits(1 << 20, 1 << 20)).ToArray();
                back.AddRange(Records(one).Select(record => record with { Offset = expected[before].Offset + record.Offset }));
            }
            Assert.Equal(sent, back);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_long_batch_becomes_several_wrappers_and_a_plain_one_begins_at_the_offset_asked_for(CompressionCodec codec, sbyte magic)
    {
        byte[] batch = Some(codec, new Random(5), count: 400, sizeMax: 20_000);
        List<Seen> expected = Records(batch);
        byte[] whole = Batches.Down(batch, magic, fromOffset: 1200);
        List<Seen> seen = SetSplit.Messages(whole);
        if (codec == CompressionCodec.None)
        {
            Assert.Equal(1200, seen[0].Offset);
            Assert.Equal(expected.Count - 200, seen.Count);
        }
        else
        {
            Assert.InRange(SetSplit.Entries(whole).Count, 2, 8);
            Assert.Equal(expected.Select(static record => record.Value), seen.Select(static record => record.Value));
            Assert.Equal(expected.Select(static record => record.Offset), seen.Select(static record => record.Offset));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_limit_is_kept_but_for_the_first(CompressionCodec codec, sbyte magic)
    {
        byte[] batch = Some(codec, new Random(6), count: 20, sizeMax: 500);
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        using var converter = new DownConverter();
        Assert.Equal(codec != CompressionCodec.None, converter.TryAppend(batch, in header, magic, 1000, bytesMax: 1, 1 << 20));
        int first = converter.Length;
        Assert.False(converter.TryAppend(batch, in header, magic, 1000, bytesMax: first, 1 << 20));
        Assert.Equal(first, converter.Length);
        using PooledRecords records = converter.Take();
        byte[] bytes = new byte[records.Length];
        records.CopyTo(bytes);
        Assert.Equal(codec == CompressionCodec.None ? 1 : 20, SetSplit.Messages(bytes).Count);
    }

    [Fact]
    public void Control_batches_are_left_out_and_zstd_has_no_old_form()
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        builder.TryAppend(0, hasKey: true, [0, 0, 0, 1], hasValue: true, [0, 0, 0, 0, 0, 0], 0, default);
        byte[] control = builder.Build(7, 3, -1, extraAttributes: 0x30).ToArray();
        Assert.Empty(Batches.Down(control, 1, 0));
        byte[] zstd = Some(CompressionCodec.Zstd, new Random(7), 3, 50);
        Assert.Throws<UnsupportedCompressionException>(() => Batches.Down(zstd, 1, 0));
    }

    private static List<Seen> Records(byte[] batch)
    {
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header) && RecordBatch.CrcIsValid(batch));
        using var decoder = new BatchDecoder();
        var records = new RecordReader(decoder.Records(batch, in header), in header);
        var seen = new List<Seen>();
        while (records.Read())
        {
            seen.Add(Batches.Seen(in records));
        }
        return seen;
    }

    private static byte[] Some(CompressionCodec codec, Random random, int count, int sizeMax)
    {
        using var builder = new RecordBatchBuilder(codec, 64 << 20);
        for (int i = 0; i < count; i++)
        {
            byte[] key = new byte[random.Next(10)];
            byte[] value = new byte[random.Next(sizeMax)];
            random.NextBytes(key);
            random.NextBytes(value.AsSpan(0, value.Length / 2));
            long time = random.Next(20) == 0 ? random.NextInt64() : 1_700_000_000_000 + random.Next(1000);
            bool hasKey = random.Next(3) > 0;
            bool hasValue = random.Next(5) > 0;
            builder.TryAppend(time, hasKey, hasKey ? key : [], hasValue, hasValue ? value : [], 1, [2, (byte)'h', 2, (byte)'v']);
        }
        byte[] batch = builder.Build(7, 3, 11).ToArray();
        RecordBatch.Stamp(batch, 1000, 5);
        return batch;
    }
}
