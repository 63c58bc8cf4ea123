using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Producing;

/// <summary>One produce request: at most one batch of each partition led by one broker.</summary>
internal sealed class ProduceRound(BrokerEndpoint leader, BrokerConnection connection)
{
    public BrokerEndpoint Leader { get; } = leader;

    public BrokerConnection Connection { get; } = connection;

    public List<(PartitionQueue Queue, ProducerBatch Batch, Guid TopicId)> Entries { get; } = [];

    public int Bytes { get; private set; }

    public bool HasTopicIds => Entries.TrueForAll(e => e.TopicId != Guid.Empty);

    public void Add(PartitionQueue queue, ProducerBatch batch, Guid topicId)
    {
        Entries.Add((queue, batch, topicId));
        Bytes += batch.Bytes.Length;
    }

    public ProduceRequest Request(Acks acks, TimeSpan timeout)
    {
        var request = new ProduceRequest { Acks = (short)acks, TimeoutMs = (int)timeout.TotalMilliseconds };
        foreach ((PartitionQueue queue, ProducerBatch batch, Guid topicId) in Entries)
        {
            ProduceRequest.TopicDataEntry? topic = request.TopicData.Find(t => t.Name == queue.Partition.Topic);
            if (topic is null)
            {
                request.TopicData.Add(topic = new ProduceRequest.TopicDataEntry { Name = queue.Partition.Topic, TopicId = topicId });
            }
            topic.PartitionData.Add(new() { Index = queue.Partition.Partition, Records = new RecordSet(batch.Bytes) });
        }
        return request;
    }

    /// <summary>Each batch gets its partition's answer; one that was left out counts as broken.</summary>
    public void Resolve(ProduceResponse answer, Acks acks, BatchResolver resolver)
    {
        foreach ((PartitionQueue queue, ProducerBatch batch, Guid topicId) in Entries)
        {
            ProduceResponse.Response.PartitionResponse? found = answer.Responses
                .Find(t => t.Name.Length > 0 ? t.Name == queue.Partition.Topic : t.TopicId == topicId)?
                .PartitionResponses.Find(p => p.Index == queue.Partition.Partition);
            lock (queue.Gate)
            {
                if (acks == Acks.None)
                {
                    resolver.Answered(queue, batch, ErrorCode.None, null, -1, -1);
                }
                else if (found is null)
                {
                    resolver.Broken(queue, batch, new InvalidDataException($"{Leader} left {queue.Partition} out of its answer"));
                }
                else
                {
                    resolver.Answered(queue, batch, found.ErrorCode, found.ErrorMessage, found.BaseOffset, found.LogAppendTimeMs);
                }
            }
        }
    }

    public void Break(Exception reason, BatchResolver resolver)
    {
        foreach ((PartitionQueue queue, ProducerBatch batch, _) in Entries)
        {
            lock (queue.Gate)
            {
                resolver.Broken(queue, batch, reason);
            }
        }
    }
}
