using FsCheck;
using FsCheck.Fluent;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests.Records;

/// <summary>What holds for all inputs; seeded, so that a failure comes again.</summary>
public class RecordBatchProperties
{
    private static Config Seeded => Config.QuickThrowOnFailure.WithReplay(20_240_101, 1).WithMaxTest(300);

    /// <summary>Keys, values and header values, each possibly null, come back as they were, in every codec.</summary>
    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Zstd)]
    public void Records_come_back(CompressionCodec codec) =>
        Check.One(Seeded, Prop.ForAll<Entry[], long>((entries, firstTime) => ComeBack(codec, entries ?? [], firstTime)));

    [Fact]
    public void Varints_come_back() => Check.One(Seeded, Prop.ForAll<long, int>((value, shift) =>
    {
        long number = value << (shift & 63);
        byte[] bytes = new byte[10];
        int size = Varint.Write(bytes, number);
        return size == Varint.Size(number) && Varint.TryRead(bytes, out long read, out int taken) && (read, taken) == (number, size);
    }));

    /// <summary>Against the definition: bit by bit, reflected polynomial 0x82F63B78; long inputs take the three lanes.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3071)]
    [InlineData(3072)]
    [InlineData(100_003)]
    public void Crc_is_the_definitions(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        uint state = ~0u;
        foreach (byte b in bytes)
        {
            state ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                state = (state >> 1) ^ ((state & 1) * 0x82F63B78u);
            }
        }
        Assert.Equal(~state, Crc32C.Compute(bytes));
        Assert.Equal(~state, ~Crc32C.Extend(Crc32C.Extend(~0u, bytes.AsSpan(0, length / 3)), bytes.AsSpan(length / 3)));
    }

    [Fact]
    public void Sequences_wrap_to_zero()
    {
        Assert.Equal(0, RecordBatch.Sequence(int.MaxValue, 1));
        Assert.Equal(int.MaxValue, RecordBatch.Sequence(int.MaxValue - 3, 3));
        Assert.Equal(4, RecordBatch.Sequence(int.MaxValue - 5, 10));
    }

    private static bool ComeBack(CompressionCodec codec, Entry[] entries, long firstTime)
    {
        if (entries.Length == 0)
        {
            return true;
        }
        using var builder = new RecordBatchBuilder(codec, 1 << 20);
        foreach (Entry entry in entries)
        {
            byte[] headers = HeaderOf(entry);
            bool fits = builder.TryAppend(firstTime + entry.Time, entry.Key is not null, entry.Key, entry.Value is not null, entry.Value, 1, headers);
            if (!fits)
            {
                return false;
            }
        }
        ReadOnlySpan<byte> batch = builder.Build().Span;
        using var decoder = new BatchDecoder();
        if (!BatchHeader.TryParse(batch, out BatchHeader header) || !RecordBatch.CrcIsValid(batch) || header.SizeInBytes != batch.Length)
        {
            return false;
        }
        var reader = new RecordReader(decoder.Records(batch, header), header);
        for (int i = 0; i < entries.Length; i++)
        {
            Entry entry = entries[i];
            bool same = reader.Read()
                && reader.Offset == i
                && reader.Timestamp == firstTime + entry.Time
                && reader.HasKey == entry.Key is not null && reader.Key.SequenceEqual(entry.Key)
                && reader.HasValue == entry.Value is not null && reader.Value.SequenceEqual(entry.Value)
                && reader.TryGetHeader("h"u8, out ReadOnlySpan<byte> value) && value.SequenceEqual(entry.Header ?? [])
                && !reader.TryGetHeader("other"u8, out _);
            if (!same)
            {
                return false;
            }
        }
        return !reader.Read() && header.MaxTimestamp == entries.Max(e => firstTime + e.Time);
    }

    private static byte[] HeaderOf(Entry entry)
    {
        byte[] value = entry.Header ?? [];
        byte[] header = new byte[RecordHeaders.Size(1, value.Length)];
        Assert.Equal(header.Length, RecordHeaders.Write(header, "h"u8, value));
        return header;
    }

    /// <summary>One record: milliseconds after the first and its parts, null where they are.</summary>
    public sealed record Entry(int Time, byte[]? Key, byte[]? Value, byte[]? Header);
}
