using System.Diagnostics;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>Reads a topic from its begin to its end, one connection a partition, 1 MiB a fetch.</summary>
internal static class FetchLoad
{
    /// <returns>Bytes of batches read.</returns>
    public static long Run(BrokerProcess broker, string topic, int partitions, List<double> latencies)
    {
        long[] bytes = new long[partitions];
        List<double>[] times = [.. bytes.Select(static _ => new List<double>())];
        LoadThreads.Run(partitions, partition => bytes[partition] = Read(broker, topic, partition, times[partition]));
        foreach (List<double> some in times)
        {
            latencies.AddRange(some);
        }
        return bytes.Sum();
    }

    /// <summary>Returns the offset behind the last whole batch of <paramref name="records"/>; <paramref name="offset"/> where there is none.</summary>
    public static long NextOffset(ReadOnlySpan<byte> records, long offset)
    {
        while (BatchHeader.TryParse(records, out BatchHeader header) && header.SizeInBytes <= records.Length)
        {
            offset = header.NextOffset;
            records = records[header.SizeInBytes..];
        }
        return offset;
    }

    private static long Read(BrokerProcess broker, string topic, int partition, List<double> latencies)
    {
        using var connection = new LoadConnection(broker.Endpoint);
        long total = 0;
        for (long offset = 0, end = long.MaxValue; offset < end;)
        {
            long begun = Stopwatch.GetTimestamp();
            FetchResponse.Response.Partition read = connection.Fetched(LoadConnection.Fetch(topic, partition, offset));
            latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            LoadConnection.Require(read.ErrorCode);
            end = read.HighWatermark;
            total += read.Records.Length;
            offset = NextOffset(read.Records.Memory.Span, offset);
        }
        return total;
    }
}
