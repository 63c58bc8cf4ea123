using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Metadata;

/// <summary>What brokers last said. One lock guards all fields; what is handed out is immutable.</summary>
internal sealed class MetadataCache(TimeProvider time, TimeSpan ageMax)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (TopicMetadata Topic, long At)> _topics = [];
    private IReadOnlyList<BrokerNode> _brokers = [];
    private string _clusterId = "";
    private int _controllerId = -1;

    public string ClusterId
    {
        get
        {
            lock (_gate)
            {
                return _clusterId;
            }
        }
    }

    public int ControllerId
    {
        get
        {
            lock (_gate)
            {
                return _controllerId;
            }
        }
    }

    public IReadOnlyList<BrokerNode> Brokers
    {
        get
        {
            lock (_gate)
            {
                return _brokers;
            }
        }
    }

    /// <summary>The topic, unless unknown, invalidated or too old.</summary>
    public TopicMetadata? Find(string topic)
    {
        lock (_gate)
        {
            return _topics.TryGetValue(topic, out (TopicMetadata Topic, long At) entry) && time.GetElapsedTime(entry.At) < ageMax ? entry.Topic : null;
        }
    }

    /// <summary>The topic, unless unknown or invalidated.</summary>
    public TopicMetadata? FindAtAnyAge(string topic, out bool isOld)
    {
        lock (_gate)
        {
            isOld = _topics.TryGetValue(topic, out (TopicMetadata Topic, long At) entry) && time.GetElapsedTime(entry.At) >= ageMax;
            return entry.Topic;
        }
    }

    public BrokerEndpoint? EndpointOf(int nodeId)
    {
        foreach (BrokerNode broker in Brokers)
        {
            if (broker.NodeId == nodeId)
            {
                return broker.Endpoint;
            }
        }
        return null;
    }

    public void Invalidate(string topic)
    {
        lock (_gate)
        {
            _topics.Remove(topic);
        }
    }

    public void Take(MetadataResponse response)
    {
        var brokers = response.Brokers.Select(b => new BrokerNode(b.NodeId, new BrokerEndpoint(b.Host, b.Port), b.Rack)).OrderBy(b => b.NodeId).ToList();
        long now = time.GetTimestamp();
        lock (_gate)
        {
            _brokers = brokers;
            _clusterId = response.ClusterId ?? _clusterId;
            _controllerId = response.ControllerId;
            foreach (MetadataResponse.Topic topic in response.Topics)
            {
                if (topic.ErrorCode == ErrorCode.None && topic.Name is not null)
                {
                    _topics[topic.Name] = (Described(topic), now);
                }
                else if (topic.Name is not null)
                {
                    _topics.Remove(topic.Name);
                }
            }
        }
    }

    public static TopicMetadata Described(MetadataResponse.Topic topic) => new(
        topic.Name!,
        topic.TopicId,
        topic.IsInternal,
        [.. topic.Partitions
            .Select(p => new PartitionMetadata(p.PartitionIndex, p.LeaderId, p.LeaderEpoch, p.ReplicaNodes, p.IsrNodes, p.ErrorCode))
            .OrderBy(p => p.Index)]);
}
