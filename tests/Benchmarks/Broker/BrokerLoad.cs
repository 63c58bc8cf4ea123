using System.Collections.Concurrent;
using System.Diagnostics;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>
/// Ours, which fsyncs before it answers, beside Apache Kafka, which by default does not: four connections with five produce requests
/// under way each, then fetches of 1 MiB of what is there. Every line runs on one broker right after the other, so that both meet the
/// same machine; the brokers' CPU seconds count where the rates are disturbed by other work.
/// </summary>
internal static class BrokerLoad
{
    private const int Connections = 4;
    private const int InFlight = 5;

    private static readonly (string Name, int Partitions, int BatchBytes, int Megabytes)[] s_lines =
    [
        ("warm-up", 4, 16 << 10, 100),
        ("one record of 1 KB a request", 4, 1 << 10, 20),
        ("batches of 16 KB", 4, 16 << 10, 400),
        ("batches of 256 KB", 4, 256 << 10, 1500),
        ("batches of 1 MB", 4, 1_000_000, 1500),
        ("16 KB, 1 partition", 1, 16 << 10, 300),
        ("16 KB, 10 partitions", 10, 16 << 10, 300),
        ("16 KB, 100 partitions", 100, 16 << 10, 300),
        ("16 KB, 1,000 partitions", 1000, 16 << 10, 300),
    ];

    public static async Task RunAsync(TextWriter output)
    {
        await using BrokerProcess ours = await BrokerProcess.StartOursAsync();
        await using BrokerProcess? kafka = await BrokerProcess.TryStartKafkaAsync();
        BrokerProcess[] brokers = kafka is null ? [ours] : [ours, kafka];
        await output.WriteLineAsync("                              broker              requests/s      MB/s    p50 ms    p99 ms    CPU s a GB");
        foreach ((string name, int partitions, int batchBytes, int megabytes) in s_lines)
        {
            byte[] batch = Batch(batchBytes);
            foreach (BrokerProcess broker in brokers)
            {
                string topic = name.Replace(' ', '-').Replace(",", "", StringComparison.Ordinal);
                await CreateAsync(broker, topic, partitions);
                await ReportAsync(output, name, broker, latencies => ProduceAsync(broker, topic, partitions, batch, megabytes, latencies));
            }
        }
        foreach (BrokerProcess broker in brokers)
        {
            await ReportAsync(output, "fetch of 256 KB batches", broker, latencies => FetchAsync(broker, "batches-of-256-KB", 4, latencies));
        }
    }

    private static async Task CreateAsync(BrokerProcess broker, string topic, int partitions)
    {
        using var client = new LoadConnection(broker.Endpoint);
        await client.CreateTopicAsync(topic, partitions);
        for (int partition = 0; partition < partitions; partition++)
        {
            await client.UntilServedAsync(topic, partition);
        }
    }

    private static async Task ReportAsync(TextWriter output, string name, BrokerProcess broker, Func<ConcurrentBag<double>, Task<long>> run)
    {
        var latencies = new ConcurrentBag<double>();
        double cpu = broker.CpuSeconds;
        long started = Stopwatch.GetTimestamp();
        long bytes = await run(latencies);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        cpu = broker.CpuSeconds - cpu;
        double[] sorted = [.. latencies.Order()];
        await output.WriteLineAsync(
            $"{name,-30}{broker.Name,-18}{sorted.Length / seconds,12:F0}{bytes / seconds / 1e6,10:F0}{sorted[sorted.Length / 2],10:F2}{sorted[sorted.Length * 99 / 100],10:F2}{cpu / bytes * 1e9,14:F2}");
    }

    private static async Task<long> ProduceAsync(
        BrokerProcess broker, string topic, int partitions, byte[] batch, int megabytes, ConcurrentBag<double> latencies)
    {
        byte[][] frames = [.. Enumerable.Range(0, partitions).Select(partition => LoadConnection.Produce(topic, partition, batch))];
        int requests = Math.Max(1, (int)(megabytes * 1_000_000L / batch.Length / Connections));
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(i => Task.Run(async () =>
        {
            using var connection = new LoadConnection(broker.Endpoint);
            var sent = new ConcurrentQueue<long>();
            using var room = new SemaphoreSlim(InFlight);
            Task answers = Task.Run(async () =>
            {
                for (int n = 0; n < requests; n++)
                {
                    await connection.ProducedAsync();
                    sent.TryDequeue(out long at);
                    latencies.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
                    room.Release();
                }
            });
            for (int n = 0; n < requests; n++)
            {
                await Task.WhenAny(room.WaitAsync(), answers);
                sent.Enqueue(Stopwatch.GetTimestamp());
                await connection.SendAsync(frames[(i + n) % partitions]);
            }
            await answers;
        })));
        return (long)requests * Connections * batch.Length;
    }

    private static async Task<long> FetchAsync(BrokerProcess broker, string topic, int partitions, ConcurrentBag<double> latencies)
    {
        long[] bytes = await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => Task.Run(async () =>
        {
            using var connection = new LoadConnection(broker.Endpoint);
            long total = 0;
            for (long offset = 0, end = long.MaxValue; offset < end;)
            {
                long begun = Stopwatch.GetTimestamp();
                await connection.SendAsync(LoadConnection.Fetch(topic, partition, offset));
                FetchResponse answer = Frames.ReadResponse<FetchResponse>(FetchRequest.Api, await connection.ReceiveAsync(), 4);
                latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                FetchResponse.Response.Partition read = answer.Responses[0].Partitions[0];
                LoadConnection.Require(read.ErrorCode);
                end = read.HighWatermark;
                total += read.Records.Length;
                offset = NextOffset(read.Records.Memory.Span, offset);
            }
            return total;
        })));
        return bytes.Sum();
    }

    private static long NextOffset(ReadOnlySpan<byte> records, long offset)
    {
        while (BatchHeader.TryParse(records, out BatchHeader header) && header.SizeInBytes <= records.Length)
        {
            offset = header.NextOffset;
            records = records[header.SizeInBytes..];
        }
        return offset;
    }

    private static byte[] Batch(int bytes)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, bytes);
        byte[] line = new byte[bytes < 2048 ? 1000 : 200];
        new Random(1).NextBytes(line);
        // Of now: a broker deletes what is older than its retention while the benchmark runs.
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        while (builder.TryAppend(now, line))
        {
        }
        return builder.Build().ToArray();
    }
}
