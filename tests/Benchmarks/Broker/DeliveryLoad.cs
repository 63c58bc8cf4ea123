using System.Diagnostics;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>
/// One record a request at a steady rate on one partition, with a long poll beside it: how long from the send until another client has
/// the record. The sender's timetable does not wait for the broker, so a stall counts for every record that it holds up.
/// </summary>
internal static class DeliveryLoad
{
    /// <returns>Bytes of batches delivered.</returns>
    public static long Run(BrokerProcess broker, string topic, byte[] batch, int ratePerSecond, int count, List<double> latencies)
    {
        long[] due = new long[count];
        byte[] frame = LoadConnection.Produce(topic, 0, batch);
        using var producer = new LoadConnection(broker.Endpoint);
        long begin = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 10);
        for (int i = 0; i < count; i++)
        {
            due[i] = begin + (i * Stopwatch.Frequency / ratePerSecond);
        }
        LoadThreads.Run(3, thread =>
        {
            switch (thread)
            {
                case 0:
                    SendOnTime(producer, frame, due);
                    break;
                case 1:
                    for (int i = 0; i < count; i++)
                    {
                        producer.Produced();
                    }
                    break;
                default:
                    Poll(broker, topic, due, latencies);
                    break;
            }
        });
        return (long)count * batch.Length;
    }

    private static void SendOnTime(LoadConnection producer, byte[] frame, long[] due)
    {
        foreach (long at in due)
        {
            for (long left = at - Stopwatch.GetTimestamp(); left > 0; left = at - Stopwatch.GetTimestamp())
            {
                // A sleep is too coarse for the last stretch.
                if (left > Stopwatch.Frequency / 2000)
                {
                    Thread.Sleep(TimeSpan.FromMicroseconds(200));
                }
                else
                {
                    Thread.Yield();
                }
            }
            producer.Send(frame);
        }
    }

    private static void Poll(BrokerProcess broker, string topic, long[] due, List<double> latencies)
    {
        using var consumer = new LoadConnection(broker.Endpoint);
        for (long offset = 0; offset < due.Length;)
        {
            FetchResponse.Response.Partition read = consumer.Fetched(LoadConnection.Fetch(topic, 0, offset, waitMs: 500));
            long now = Stopwatch.GetTimestamp();
            LoadConnection.Require(read.ErrorCode);
            long next = FetchLoad.NextOffset(read.Records.Memory.Span, offset);
            for (; offset < next; offset++)
            {
                latencies.Add((now - due[offset]) * 1000.0 / Stopwatch.Frequency);
            }
        }
    }
}
