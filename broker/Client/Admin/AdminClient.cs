using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Admin;

/// <summary>Creates, deletes, lists and describes. Errors of a single thing throw <see cref="BrokerErrorException"/>.</summary>
public sealed class AdminClient
{
    public AdminClient(ClusterClient cluster) => throw new NotImplementedException();

    /// <summary>One outcome a topic, in order; does not throw for single topics.</summary>
    public ValueTask<IReadOnlyList<Outcome>> CreateTopicsAsync(IReadOnlyList<NewTopic> topics, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>One outcome a topic, in order; does not throw for single topics.</summary>
    public ValueTask<IReadOnlyList<Outcome>> DeleteTopicsAsync(IReadOnlyList<string> topics, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>All topics, ordered by name.</summary>
    public ValueTask<IReadOnlyList<TopicMetadata>> ListTopicsAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>The topic as it is now; never creates it.</summary>
    public ValueTask<TopicMetadata> DescribeTopicAsync(string topic, CancellationToken ct) => throw new NotImplementedException();

    public ValueTask<ClusterDescription> DescribeClusterAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>The groups of all brokers, ordered by name.</summary>
    public ValueTask<IReadOnlyList<GroupListing>> ListGroupsAsync(CancellationToken ct) => throw new NotImplementedException();

    public ValueTask<GroupDescription> DescribeGroupAsync(string group, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>All committed points of a group, ordered.</summary>
    public ValueTask<IReadOnlyList<KeyValuePair<TopicPartition, Consuming.CommitPoint>>> GroupOffsetsAsync(string group, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>The offset that the spec asks for.</summary>
    public ValueTask<OffsetFound> OffsetAsync(TopicPartition partition, OffsetSpec spec, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Producers that the partition remembers, ordered by id; <see cref="UnsupportedApiException"/> on old brokers.</summary>
    public ValueTask<IReadOnlyList<ActiveProducer>> DescribeProducersAsync(TopicPartition partition, CancellationToken ct) => throw new NotImplementedException();

    public ValueTask<IReadOnlyList<ConfigEntry>> DescribeConfigsAsync(ConfigResourceType type, string name, CancellationToken ct) => throw new NotImplementedException();
}
