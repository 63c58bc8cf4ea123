using System.Text;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Protocol.Tests.Records;

/// <summary>The scan takes exactly what a reader can read to the end with offsets 0, 1, 2 …</summary>
public sealed class RecordScanTests
{
    [Fact]
    public void The_scan_agrees_with_the_reader_on_damaged_records()
    {
        var random = new Random(1);
        int taken = 0;
        int refused = 0;
        for (int i = 0; i < 60_000; i++)
        {
            byte[] batch = Batch(random);
            for (int damage = random.Next(3); damage > 0; damage--)
            {
                batch[random.Next(RecordBatch.HeaderSize, batch.Length)] = random.Next(3) switch
                {
                    0 => (byte)random.Next(256),
                    1 => (byte)random.Next(8),
                    _ => 0xff,
                };
            }
            ReadOnlySpan<byte> records = batch.AsSpan(RecordBatch.HeaderSize, batch.Length - RecordBatch.HeaderSize - (random.Next(10) == 0 ? 1 : 0));
            Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
            string? problem = RecordScan.Problem(records, in header, out long maxTimestamp);
            long? read = Read(records, in header);
            Assert.True(problem is null == read is not null, $"{problem ?? "taken"}: {Convert.ToHexString(records)}");
            if (read is { } expected)
            {
                Assert.Equal(expected, maxTimestamp);
                taken++;
            }
            else
            {
                refused++;
            }
        }
        Assert.True(taken > 10_000 && refused > 10_000, $"{taken} taken, {refused} refused");
    }

    [Fact]
    public void A_count_that_lies_is_told()
    {
        byte[] batch = Batch(new Random(2));
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        ReadOnlySpan<byte> records = batch.AsSpan(RecordBatch.HeaderSize);
        Assert.Null(RecordScan.Problem(records, in header, out _));
        Assert.Contains("follow the last", RecordScan.Problem(records, header with { RecordCount = header.RecordCount - 1 }, out _), StringComparison.Ordinal);
        Assert.Contains("0 are left", RecordScan.Problem(records, header with { RecordCount = int.MaxValue }, out _), StringComparison.Ordinal);
    }

    [Fact]
    public void The_scan_allocates_nothing()
    {
        byte[] batch = Batch(new Random(3));
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        RecordScan.Problem(batch.AsSpan(RecordBatch.HeaderSize), in header, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            RecordScan.Problem(batch.AsSpan(RecordBatch.HeaderSize), in header, out _);
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    // The largest timestamp, or null where the records do not hold.
    private static long? Read(ReadOnlySpan<byte> records, in BatchHeader header)
    {
        try
        {
            long largest = long.MinValue;
            var reader = new RecordReader(records, header);
            for (int i = 0; reader.Read(); i++)
            {
                if (reader.Offset != header.BaseOffset + i || !HeadersHold(reader.Headers, reader.HeaderCount))
                {
                    return null;
                }
                largest = Math.Max(largest, reader.Timestamp);
            }
            return largest;
        }
        catch (CorruptRecordException)
        {
            return null;
        }
    }

    private static bool HeadersHold(ReadOnlySpan<byte> headers, int count)
    {
        for (int i = 0; i < 2 * count; i++)
        {
            if (!Wire.Varint.TryRead(headers, out long length, out int size)
                || length < (i % 2 == 0 ? 0 : -1)
                || length > headers.Length - size)
            {
                return false;
            }
            headers = headers[(size + (int)Math.Max(length, 0))..];
        }
        return headers.IsEmpty;
    }

    private static byte[] Batch(Random random)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 16);
        for (int count = random.Next(1, 5); count > 0; count--)
        {
            byte[] value = Encoding.ASCII.GetBytes(new string('v', random.Next(3) == 0 ? random.Next(300) : random.Next(10)));
            int headers = random.Next(3);
            ReadOnlySpan<byte> encoded = [2, (byte)'h', 1, 2, (byte)'i', 4, (byte)'a', (byte)'b'];
            int size = headers switch { 0 => 0, 1 => 3, _ => 8 };
            bool hasKey = random.Next(2) == 0;
            bool hasValue = random.Next(4) > 0;
            builder.TryAppend(random.Next(100_000), hasKey, hasKey ? "key"u8 : [], hasValue, hasValue ? value : [], headers, encoded[..size]);
        }
        return builder.Build().ToArray();
    }
}
