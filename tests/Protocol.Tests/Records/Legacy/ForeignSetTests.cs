using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;

namespace LogPipeline.Protocol.Tests.Records.Legacy;

/// <summary>Message sets as Apache Kafka 3.9 and sarama 1.22 write them; the file says where they are from.</summary>
public sealed class ForeignSetTests
{
    private const long AppendTime = 1_700_000_009_000;
    private static readonly string Second = string.Concat(Enumerable.Repeat("second ", 20));

    public sealed record ForeignSet(string Writer, sbyte Magic, CompressionCodec Codec, bool IsAppendTime, string Hex)
    {
        public byte[] Bytes => Convert.FromHexString(Hex);

        public override string ToString() => $"{Writer} format {Magic} {Codec}{(IsAppendTime ? " append time" : "")}";
    }

    public static TheoryData<string> Names => [.. All.Select(static set => set.ToString())];

    internal static IEnumerable<byte[]> AllBytes => All.Select(static set => set.Bytes);

    private static List<ForeignSet> All { get; } =
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Records", "Legacy", "foreign-sets.txt"))
            .Where(static line => !line.StartsWith('#'))
            .Select(static line => line.Split(' '))
            .Select(static field => new ForeignSet(
                field[0], sbyte.Parse(field[1], System.Globalization.CultureInfo.InvariantCulture), Enum.Parse<CompressionCodec>(field[2], ignoreCase: true), field[3] == "append", field[4]))];

    [Fact]
    public void Every_codec_of_both_formats_is_there() =>
        Assert.Equal(8, All.Where(static set => set.Writer == "java").Select(static set => (set.Magic, set.Codec)).Distinct().Count());

    [Theory]
    [MemberData(nameof(Names))]
    public void They_are_read(string name)
    {
        ForeignSet set = Of(name);
        long[] offsets = set.Writer == "java" ? [40, 41, 43] : set is { Magic: 1, Codec: not CompressionCodec.None } ? [0, 1, 2] : [0, 0, 0];
        long[] times = Times(set);
        Assert.Equal(
            [new Seen(offsets[0], times[0], "k", "first"), new Seen(offsets[1], times[1], null, Second), new Seen(offsets[2], times[2], "last", null)],
            SetSplit.Messages(set.Bytes));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void They_become_one_batch_with_the_codec_as_sent_or_another(string name)
    {
        ForeignSet set = Of(name);
        using var converter = new UpConverter();
        foreach (CompressionCodec? codec in (CompressionCodec?[])[null, CompressionCodec.None, CompressionCodec.Zstd])
        {
            Span<byte> batch = converter.Convert(set.Bytes, codec, level: null, new ConversionLimits(1 << 20, 1 << 20)).Span;
            Assert.True(BatchHeader.TryParse(batch, out BatchHeader header) && RecordBatch.CrcIsValid(batch));
            Assert.Equal((codec ?? set.Codec, 3, 2, -1L, false), (header.Codec, header.RecordCount, header.LastOffsetDelta, header.ProducerId, header.IsLogAppendTime));
            Assert.Equal(Times(set).Max(), header.MaxTimestamp);
            using var decoder = new BatchDecoder();
            ReadOnlySpan<byte> plain = decoder.Records(batch, in header);
            Assert.Null(RecordScan.Problem(plain, in header, out _));
            var records = new RecordReader(plain, in header);
            var seen = new List<Seen>();
            while (records.Read())
            {
                seen.Add(Batches.Seen(in records));
            }
            long[] times = Times(set);
            Assert.Equal([new Seen(0, times[0], "k", "first"), new Seen(1, times[1], null, Second), new Seen(2, times[2], "last", null)], seen);
        }
    }

    /// <summary>Byte for byte where nothing is compressed, and in the wrapper's header; what is compressed may differ in its bytes.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Ours_are_as_Apache_Kafkas(string name)
    {
        ForeignSet set = Of(name);
        if (set.Writer != "java")
        {
            return;
        }
        byte[] batch = Batches.WithGap(set.Codec, set.IsAppendTime ? AppendTime : null,
            [(1_700_000_000_000, "k", "first"), (1_700_000_000_500, null, Second), (0, "removed by compaction", null), (1_699_999_999_000, "last", null)], removed: 2, baseOffset: 40);
        byte[] ours = Batches.Down(batch, set.Magic, 0);
        Assert.Equal(SetSplit.Messages(set.Bytes), SetSplit.Messages(ours));
        if (set.Codec == CompressionCodec.None)
        {
            Assert.Equal(set.Hex, Convert.ToHexStringLower(ours));
        }
        else
        {
            Assert.Equal(Head(set.Bytes, set.Magic), Head(ours, set.Magic));
        }
        if (set.Codec == CompressionCodec.Lz4)
        {
            // Frame header with the checksum that its format has.
            int at = set.Magic == 0 ? 26 : 34;
            Assert.Equal(Convert.ToHexStringLower(set.Bytes.AsSpan(at, 7)), Convert.ToHexStringLower(ours.AsSpan(at, 7)));
        }
    }

    [Fact]
    public void The_checksum_of_lz4s_frame_header_is_not_looked_at_in_format_0_alone()
    {
        using var converter = new UpConverter();
        foreach (ForeignSet set in All.Where(static set => set.Codec == CompressionCodec.Lz4))
        {
            byte[] bytes = set.Bytes;
            bytes[(set.Magic == 0 ? 26 : 34) + 6] ^= 0x55;
            Batches.SealMessage(bytes);
            if (set.Magic == 0)
            {
                Assert.Equal(3, SetSplit.Messages(bytes).Count);
            }
            else
            {
                Assert.Throws<InvalidRecordException>(() => SetSplit.Messages(bytes));
            }
        }
    }

    private static ForeignSet Of(string name) => All.Single(set => set.ToString() == name);

    // Of the wrapper: offset, magic, attributes, timestamp, key.
    private static string Head(byte[] set, sbyte magic) =>
        Convert.ToHexStringLower(set.AsSpan(0, 8)) + Convert.ToHexStringLower(set.AsSpan(16, magic == 0 ? 6 : 14));

    private static long[] Times(ForeignSet set) =>
        set.Magic == 0 ? [-1, -1, -1]
        : set.IsAppendTime ? [AppendTime, AppendTime, AppendTime]
        : [1_700_000_000_000, 1_700_000_000_500, 1_699_999_999_000];
}
