using System.Diagnostics;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>
/// Four connections, each with five produce requests under way (acks=all), round robin over the partitions. A connection is a thread:
/// it receives what answers are there and sends as many requests in one call.
/// </summary>
internal static class ProduceLoad
{
    private const int Connections = 4;
    private const int InFlight = 5;

    /// <summary>Sends about <paramref name="megabytes"/> of one batch over and over.</summary>
    /// <param name="broker">Who gets it.</param>
    /// <param name="topic">A topic that is there.</param>
    /// <param name="partitions">Its partitions.</param>
    /// <param name="batch">The batch, encoded.</param>
    /// <param name="megabytes">How much, all connections together.</param>
    /// <param name="latencies">Takes the time from send to answer of each request, in milliseconds.</param>
    /// <returns>Bytes of batches sent and acknowledged.</returns>
    public static long Run(BrokerProcess broker, string topic, int partitions, byte[] batch, int megabytes, List<double> latencies)
    {
        byte[][] frames = [.. Enumerable.Range(0, partitions).Select(partition => LoadConnection.Produce(topic, partition, batch))];
        int requests = Math.Max(1, (int)(megabytes * 1_000_000L / batch.Length / Connections));
        List<double>[] times = [.. Enumerable.Range(0, Connections).Select(_ => new List<double>(requests))];
        LoadThreads.Run(Connections, i => RunConnection(broker, frames, i, requests, times[i]));
        foreach (List<double> some in times)
        {
            latencies.AddRange(some);
        }
        return (long)requests * Connections * batch.Length;
    }

    /// <summary>Returns an uncompressed batch of about that many bytes; its records are of now, so that no retention removes them meanwhile.</summary>
    public static byte[] Batch(int bytes)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, bytes);
        byte[] line = new byte[bytes < 2048 ? 1000 : 200];
        new Random(1).NextBytes(line);
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        while (builder.TryAppend(now, line))
        {
        }
        return builder.Build().ToArray();
    }

    private static void RunConnection(BrokerProcess broker, byte[][] frames, int first, int requests, List<double> latencies)
    {
        using var connection = new LoadConnection(broker.Endpoint);
        var sent = new Queue<long>(InFlight);
        byte[] together = new byte[frames[0].Length * InFlight * 2];
        int begun = 0;
        while (latencies.Count < requests)
        {
            int length = 0;
            for (; sent.Count < InFlight && begun < requests; begun++)
            {
                byte[] frame = frames[(first + begun) % frames.Length];
                frame.CopyTo(together, length);
                length += frame.Length;
                sent.Enqueue(Stopwatch.GetTimestamp());
            }
            connection.Send(together.AsSpan(0, length));
            do
            {
                connection.Produced();
                latencies.Add(Stopwatch.GetElapsedTime(sent.Dequeue()).TotalMilliseconds);
            }
            while (sent.Count > 0 && connection.HasAnswer);
        }
    }
}
