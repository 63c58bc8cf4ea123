using System.Runtime.CompilerServices;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract.Reports;
using LogPipeline.Protocol;

namespace LogPipeline.Sinks.Verification;

/// <summary>The topic in which agents publish their status.</summary>
public static class StatusTopic
{
    /// <summary>All reports that it has, with their JSON; none where the topic does not exist.</summary>
    public static async IAsyncEnumerable<(AgentReport Report, ReadOnlyMemory<byte> Json)> ReadAsync(
        ClusterClient cluster, string topic, TimeProvider time, Random random, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var admin = new AdminClient(cluster);
        foreach (TopicPartition partition in await PartitionsAsync(cluster, topic, cancellation))
        {
            long end = (await admin.OffsetAsync(partition, OffsetSpec.Latest, cancellation)).Offset;
            await using var consumer = new Consumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest }, cluster, time, random);
            consumer.Assign([partition]);
            long begin = (await admin.OffsetAsync(partition, OffsetSpec.Earliest, cancellation)).Offset;
            while (begin < end && consumer.Position(partition) < end)
            {
                foreach (ConsumedRecord record in await consumer.PollAsync(cancellation))
                {
                    if (record.Value is { } json && ReportJson.TryRead(json.Span) is { } report)
                    {
                        yield return (report, json);
                    }
                }
            }
        }
    }

    private static async Task<IReadOnlyList<TopicPartition>> PartitionsAsync(ClusterClient cluster, string topic, CancellationToken cancellation)
    {
        try
        {
            TopicMetadata found = await cluster.TopicAsync(topic, refresh: true, cancellation);
            return [.. found.Partitions.Select(partition => new TopicPartition(topic, partition.Index))];
        }
        catch (BrokerErrorException missing) when (missing.Code == ErrorCode.UnknownTopicOrPartition)
        {
            return [];
        }
    }
}
