using System.Diagnostics;
using System.Globalization;
using System.Text;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;

namespace LogPipeline.Benchmarks;

/// <summary>
/// How fast record batches become message sets of formats 0 and 1 and the other way round: batches of about 1 MiB of access-log lines, in
/// megabytes a second of records as they are unpacked, beside the codec's own work, and what the process grows by.
/// </summary>
internal static class ConversionSpeed
{
    private const int Records = 5000;
    private const int Rounds = 60;

    public static void Run(TextWriter output)
    {
        output.WriteLine("codec   format  up MB/s  down MB/s  pack+unpack alone MB/s");
        long before = Process.GetCurrentProcess().WorkingSet64;
        foreach (CompressionCodec codec in (CompressionCodec[])[CompressionCodec.None, CompressionCodec.Lz4, CompressionCodec.Snappy, CompressionCodec.Gzip])
        {
            byte[] batch = Batch(codec, out int plainBytes);
            double codecAlone = codec == CompressionCodec.None ? double.NaN : Speed(plainBytes, () => Repack(batch, codec));
            foreach (sbyte magic in (sbyte[])[0, 1])
            {
                byte[] set = [];
                double down = Speed(plainBytes, () => set = Down(batch, magic, set));
                double up = Speed(plainBytes, () => Up(set));
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{codec,-8}{magic,6}{up,9:0}{down,11:0}{codecAlone,24:0}"));
            }
        }
        long grown = Process.GetCurrentProcess().PeakWorkingSet64 - before;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory: {grown / 1e6:0} MB more at the peak"));
    }

    private static double Speed(int bytes, Action round)
    {
        for (int i = 0; i < 5; i++)
        {
            round();
        }
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Rounds; i++)
        {
            round();
        }
        return (double)bytes * Rounds / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
    }

    private static byte[] Down(byte[] batch, sbyte magic, byte[] to)
    {
        using var converter = new DownConverter();
        if (!BatchHeader.TryParse(batch, out BatchHeader header) || !RecordBatch.CrcIsValid(batch)
            || !converter.TryAppend(batch, in header, magic, 0, int.MaxValue, 16 << 20))
        {
            throw new InvalidOperationException("a batch was not converted");
        }
        using PooledRecords records = converter.Take();
        byte[] set = to.Length == records.Length ? to : new byte[records.Length];
        records.CopyTo(set);
        return set;
    }

    // A set of several wrappers comes from a long batch: a producer sends them one by one.
    private static void Up(ReadOnlySpan<byte> set)
    {
        using var converter = new UpConverter();
        if (set[17] == 0)
        {
            converter.Convert(set, null, null, new ConversionLimits(16 << 20, 16 << 20));
            return;
        }
        while (!set.IsEmpty)
        {
            int size = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(set[8..]) + 12;
            converter.Convert(set[..size], null, null, new ConversionLimits(16 << 20, 16 << 20));
            set = set[size..];
        }
    }

    private static void Repack(byte[] batch, CompressionCodec codec)
    {
        using var recompressor = new BatchRecompressor();
        if (BatchHeader.TryParse(batch, out BatchHeader header))
        {
            recompressor.Recompress(batch, in header, codec, level: null, 16 << 20);
        }
    }

    private static byte[] Batch(CompressionCodec codec, out int plainBytes)
    {
        var random = new Random(1);
        using var builder = new RecordBatchBuilder(codec, 16 << 20);
        for (int i = 0; i < Records; i++)
        {
            builder.TryAppend(1_700_000_000_000 + i, Encoding.UTF8.GetBytes(
                $"10.{random.Next(256)}.{random.Next(256)}.{random.Next(256)} - - [10/Oct/2025:13:55:{i % 60:00} +0000] \"GET /item/{random.Next(100000)}?q=lamp HTTP/1.1\" "
                + $"200 {random.Next(90000)} \"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0\""));
        }
        plainBytes = builder.Size;
        return builder.Build().ToArray();
    }
}
