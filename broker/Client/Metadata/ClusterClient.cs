using LogPipeline.Client.Connections;

namespace LogPipeline.Client.Metadata;

/// <summary>A cluster seen from outside: its brokers, topics, leaders and coordinators, and one connection to each broker, made when first needed.</summary>
public sealed class ClusterClient : IAsyncDisposable
{
    public ClusterClient(ClientOptions options, IConnector connector, TimeProvider time, Random random) => options.Validate();

    /// <summary>Empty until the first metadata came.</summary>
    public string ClusterId => throw new NotImplementedException();

    /// <summary>The brokers, by node id; empty until the first metadata came.</summary>
    public IReadOnlyList<BrokerNode> Brokers => throw new NotImplementedException();

    /// <summary>The topic from the cache, or asked anew; waits for a topic that is being created, throws <see cref="BrokerErrorException"/> when it does not appear.</summary>
    public ValueTask<TopicMetadata> TopicAsync(string topic, bool refresh, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>A connection to the partition's leader; refreshes metadata until there is one.</summary>
    public ValueTask<BrokerConnection> LeaderAsync(string topic, int partition, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>A connection to the group's coordinator.</summary>
    public ValueTask<BrokerConnection> CoordinatorAsync(string group, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>A connection to any broker; <see cref="BrokerUnreachableException"/> when none answers in time.</summary>
    public ValueTask<BrokerConnection> AnyAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>A fresh producer id and epoch.</summary>
    public ValueTask<ProducerIdentity> NewProducerIdAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Forgets the topic: the next question goes to a broker (after errors 3, 5, 6 and the like).</summary>
    public void Invalidate(string topic) => throw new NotImplementedException();

    /// <summary>Forgets the group's coordinator (after errors 15 and 16).</summary>
    public void InvalidateCoordinator(string group) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>What InitProducerId gave.</summary>
public readonly record struct ProducerIdentity(long ProducerId, short Epoch);
