using System.Diagnostics;
using LogPipeline.Files;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Benchmarks;

/// <summary>
/// Appends with group commit over 1 to 1,000 active partitions on the real disk, beside what fdatasync alone costs there. Each
/// producer keeps one batch under way: it appends, waits for the flush, and goes on, as a client with acks=all.
/// </summary>
internal static class StorageFlush
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(string directory, TextWriter output)
    {
        await output.WriteLineAsync("append + flush            producers  batch bytes   requests/s       MB/s   p50 ms   p99 ms");
        await RawAsync(directory, 16 << 10, output);
        await RawAsync(directory, 256 << 10, output);
        foreach ((int partitions, int producers, int bytes) in ((int, int, int)[])
            [(1, 1, 16 << 10), (1, 80, 16 << 10), (1, 80, 256 << 10), (4, 80, 16 << 10), (4, 80, 256 << 10), (10, 80, 16 << 10), (100, 200, 16 << 10), (1000, 1000, 16 << 10)])
        {
            await PartitionsAsync(directory, partitions, producers, bytes, output);
        }
    }

    private static async Task RawAsync(string directory, int bytes, TextWriter output)
    {
        string path = Path.Combine(directory, "raw");
        var files = new OsFileSystem();
        files.CreateDirectory(directory);
        using IFile file = files.Open(path, FileOpenMode.ReadWrite);
        byte[] block = new byte[bytes];
        new Random(1).NextBytes(block);
        var latencies = new List<double>();
        long started = Stopwatch.GetTimestamp();
        for (long position = 0; Stopwatch.GetElapsedTime(started) < Duration; position += bytes)
        {
            long begun = Stopwatch.GetTimestamp();
            file.Write(block, position);
            file.Flush();
            latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        await ReportAsync(output, "raw write + fdatasync", 1, bytes, latencies, Stopwatch.GetElapsedTime(started));
        files.Delete(path);
    }

    private static async Task PartitionsAsync(string directory, int partitions, int producers, int bytes, TextWriter output)
    {
        string path = Path.Combine(directory, "logs");
        var files = new OsFileSystem();
        files.DeleteDirectory(path);
        DataDirectory data = DataDirectory.Open(files, path, new DataDirectoryOptions(), TimeProvider.System, new Random(1), NullLogger.Instance);
        IReadOnlyList<PartitionLog> logs = data.Create("bench", Guid.Empty, 0, partitions, new PartitionLogOptions());
        var latencies = new List<double>[producers];
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, producers).Select(i => Task.Run(() => ProduceAsync(logs[i % partitions], latencies[i] = [], bytes, started))));
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        await ReportAsync(output, $"{partitions} partition(s)", producers, bytes, [.. latencies.SelectMany(list => list)], took);
        await data.CloseAsync();
        files.DeleteDirectory(path);
    }

    private static async Task ProduceAsync(PartitionLog log, List<double> latencies, int bytes, long started)
    {
        byte[] batch = Batch(bytes);
        while (Stopwatch.GetElapsedTime(started) < Duration)
        {
            long begun = Stopwatch.GetTimestamp();
            AppendResult result = log.AppendAsLeader(batch, AppendOrigin.Client, leaderEpoch: 0);
            await log.FlushedAsync(result.LastOffset + 1);
            latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
    }

    private static byte[] Batch(int bytes)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, bytes);
        byte[] line = new byte[200];
        new Random(1).NextBytes(line);
        while (builder.TryAppend(1_700_000_000_000, line))
        {
        }
        return builder.Build().ToArray();
    }

    private static Task ReportAsync(TextWriter output, string name, int producers, int bytes, List<double> latencies, TimeSpan took)
    {
        latencies.Sort();
        double rate = latencies.Count / took.TotalSeconds;
        return output.WriteLineAsync(
            $"{name,-24}{producers,10}{bytes,13}{rate,13:F0}{rate * bytes / 1e6,11:F0}{latencies[latencies.Count / 2],9:F2}{latencies[latencies.Count * 99 / 100],9:F2}");
    }
}
