using System.Diagnostics;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>
/// Ours, which makes every answer durable first, beside Apache Kafka, which by default does not. Every line runs on one broker right
/// after the other and in several rounds, so that both meet the same machine; the last column says how ours compares: requests a second
/// of ours by Kafka's, or for latency Kafka's 99th percentile by ours.
/// </summary>
internal static class BrokerLoad
{
    private static readonly Line[] s_lines =
    [
        Line.Produce("one record of 1 KB a request", 4, 1 << 10, 40),
        Line.Produce("batches of 16 KB", 4, 16 << 10, 300),
        Line.Produce("batches of 256 KB", 4, 256 << 10, 1000) with { DiskBatch = 256 << 10 },
        Line.Produce("batches of 1 MB", 4, 1_000_000, 1000) with { DiskBatch = 1_000_000 },
        Line.Produce("16 KB, 100 partitions", 100, 16 << 10, 300),
        Line.Produce("16 KB, 1,000 partitions", 1000, 16 << 10, 200),
        new("fetch of 256 KB batches", 0, IsLatency: false, static (broker, round, _, latencies) =>
            FetchLoad.Run(broker, TopicOf("batches of 256 KB", round), 4, latencies)),
        new("delivered at 1,000 a second", 1, IsLatency: true, static (broker, _, topic, latencies) =>
            DeliveryLoad.Run(broker, topic, ProduceLoad.Batch(1 << 10), 1000, 5000, latencies)),
    ];

    public static async Task RunAsync(int rounds, string? only, TextWriter output)
    {
        await using BrokerProcess ours = await BrokerProcess.StartOursAsync();
        await using BrokerProcess? kafka = await BrokerProcess.TryStartKafkaAsync();
        BrokerProcess[] brokers = kafka is null ? [ours] : [ours, kafka];
        Line[] lines = [.. s_lines.Where(line => only is null || line.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];
        foreach (BrokerProcess broker in brokers)
        {
            Run(Line.Produce("warm-up", 4, 16 << 10, 100), broker, 0);
        }
        await output.WriteLineAsync("                              broker            round  requests/s    MB/s   p50 ms   p99 ms  CPU s a GB  RSS MB");
        var results = new List<Result>();
        for (int round = 1; round <= rounds; round++)
        {
            foreach (Line line in lines)
            {
                foreach (BrokerProcess broker in brokers)
                {
                    Result result = Run(line, broker, round);
                    results.Add(result);
                    await output.WriteLineAsync(
                        $"{line.Name,-30}{broker.Name,-18}{round,5}{result.Rate,12:F0}{result.Megabytes,8:F0}{result.Median,9:F2}{result.Slowest,9:F2}{result.CpuPerGigabyte,12:F2}{result.ResidentMegabytes,8}");
                }
                if (line.DiskBatch > 0)
                {
                    await output.WriteLineAsync($"{line.Name,-30}{"the disk alone",-18}{round,5}{"",12}{DiskRate(line.DiskBatch),8:F0}");
                }
            }
        }
        if (kafka is not null)
        {
            await SummariseAsync(output, lines, results, ours, kafka);
        }
    }

    private static async Task SummariseAsync(TextWriter output, Line[] lines, List<Result> results, BrokerProcess ours, BrokerProcess kafka)
    {
        await output.WriteLineAsync();
        await output.WriteLineAsync("median of the rounds            ours by Kafka   CPU a GB, ours by Kafka");
        foreach (Line line in lines)
        {
            double speed = line.IsLatency
                ? MedianOf(kafka, static result => result.Slowest) / MedianOf(ours, static result => result.Slowest)
                : MedianOf(ours, static result => result.Rate) / MedianOf(kafka, static result => result.Rate);
            double cpu = MedianOf(ours, static result => result.CpuPerGigabyte) / MedianOf(kafka, static result => result.CpuPerGigabyte);
            await output.WriteLineAsync($"{line.Name,-30}{speed,15:F2}{cpu,26:F2}");

            double MedianOf(BrokerProcess broker, Func<Result, double> figure)
            {
                double[] sorted = [.. results.Where(result => result.Line == line && result.Broker == broker).Select(figure).Order()];
                return sorted[sorted.Length / 2];
            }
        }
    }

    private static Result Run(Line line, BrokerProcess broker, int round)
    {
        string topic = TopicOf(line.Name, round);
        if (line.Partitions > 0)
        {
            using var client = new LoadConnection(broker.Endpoint);
            client.CreateTopic(topic, line.Partitions);
        }
        var latencies = new List<double>();
        double cpu = broker.CpuSeconds;
        long started = Stopwatch.GetTimestamp();
        long bytes = line.Load(broker, round, topic, latencies);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        cpu = broker.CpuSeconds - cpu;
        latencies.Sort();
        return new Result(line, broker)
        {
            Rate = latencies.Count / seconds,
            Megabytes = bytes / seconds / 1e6,
            Median = latencies[latencies.Count / 2],
            Slowest = latencies[latencies.Count * 99 / 100],
            CpuPerGigabyte = cpu / bytes * 1e9,
            ResidentMegabytes = broker.ResidentBytes >> 20,
        };
    }

    // Megabytes a second.
    private static double DiskRate(int batchBytes)
    {
        long started = Stopwatch.GetTimestamp();
        long bytes = DiskLoad.Run(batchBytes, 1000);
        return bytes / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e6;
    }

    private static string TopicOf(string line, int round) =>
        $"{line.Replace(' ', '-').Replace(",", "", StringComparison.Ordinal)}-{round}";

    /// <summary>One row of the table.</summary>
    /// <param name="Name">What it measures.</param>
    /// <param name="Partitions">Partitions of the topic that it needs; 0 for none of its own.</param>
    /// <param name="IsLatency">Whether its latency is what counts.</param>
    /// <param name="Load">Runs the load (broker, round, topic, latencies in milliseconds) and returns bytes moved.</param>
    private sealed record Line(string Name, int Partitions, bool IsLatency, Func<BrokerProcess, int, string, List<double>, long> Load)
    {
        /// <summary>Size of the batches with which the disk alone is measured beside the brokers; 0 where it is not the limit.</summary>
        public int DiskBatch { get; init; }

        public static Line Produce(string name, int partitions, int batchBytes, int megabytes)
        {
            byte[] batch = ProduceLoad.Batch(batchBytes);
            return new Line(name, partitions, IsLatency: false, (broker, _, topic, latencies) =>
                ProduceLoad.Run(broker, topic, partitions, batch, megabytes, latencies));
        }
    }

    /// <summary>What one line reached on one broker in one round; <c>Slowest</c> is the 99th percentile.</summary>
    private sealed record Result(Line Line, BrokerProcess Broker)
    {
        public required double Rate { get; init; }

        public required double Megabytes { get; init; }

        public required double Median { get; init; }

        public required double Slowest { get; init; }

        public required double CpuPerGigabyte { get; init; }

        public required long ResidentMegabytes { get; init; }
    }
}
