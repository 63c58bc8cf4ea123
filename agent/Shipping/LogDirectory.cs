using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Agent.Shipping;

/// <summary>Finds logs in the cluster: a topic's partition count, a partition's leader; tries again, ever less often, until it has them.</summary>
internal sealed class LogDirectory
{
    private static readonly BackOff Delays = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));

    private readonly ClusterClient _cluster;
    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;

    public LogDirectory(ClusterClient cluster, AgentOptions options, TimeProvider time, Random random) =>
        (_cluster, _options, _time, _random) = (cluster, options, time, random);

    /// <summary>Whether a fault is one of those that pass: the network, a broker's error, a broker that is too old for now.</summary>
    public static bool IsPassing(Exception fault, CancellationToken stopped) =>
        !stopped.IsCancellationRequested
        && fault is IOException or BrokerErrorException or UnsupportedApiException
            or MalformedMessageException or System.Net.Sockets.SocketException or OperationCanceledException;

    /// <summary>Forgets where a topic's partitions are.</summary>
    public void Invalidate(string topic) => _cluster.Invalidate(topic);

    /// <summary>Waits for the topic and returns its number of partitions.</summary>
    public async Task<int> PartitionsAsync(string topic, Action<Exception> trouble, CancellationToken stopped)
    {
        TopicMetadata found = await RetryAsync(cancellation => _cluster.TopicAsync(topic, refresh: false, cancellation), trouble, stopped);
        return found.Partitions.Count;
    }

    /// <summary>Connects to a log's leader and does <paramref name="open"/> there; both again until both work.</summary>
    public Task<LogLink> ConnectAsync(
        TopicPartitionKey key, Func<LogLink, CancellationToken, Task> open, Action<Exception> trouble, CancellationToken stopped) =>
        RetryAsync(
            async cancellation =>
            {
                LogLink link = await ConnectOnceAsync(key, cancellation);
                await open(link, cancellation);
                return link;
            },
            trouble,
            stopped);

    /// <summary>Connects to a log's leader, in one try. A topic that came back with fewer partitions takes what was meant for those it has not.</summary>
    public async ValueTask<LogLink> ConnectOnceAsync(TopicPartitionKey key, CancellationToken cancellation)
    {
        TopicMetadata topic = await _cluster.TopicAsync(key.Topic, refresh: true, cancellation);
        int partition = key.Partition < topic.Partitions.Count ? key.Partition : key.Partition % topic.Partitions.Count;
        BrokerConnection connection = await _cluster.LeaderAsync(key.Topic, partition, cancellation);
        var leader = new PartitionLeader(connection, new TopicPartition(key.Topic, partition), topic.TopicId, _options.RequestTimeout);
        return new LogLink(leader, new LogIdentity(_cluster.ClusterId, topic.TopicId, partition));
    }

    /// <summary>Tries until it works or a fault does not pass.</summary>
    /// <param name="attempt">One try.</param>
    /// <param name="trouble">Called with each fault that passes.</param>
    /// <param name="stopped">Ends it.</param>
    /// <param name="limit">A fault that comes later than this does not pass; null = each may.</param>
    public Task<T> RetryAsync<T>(Func<CancellationToken, ValueTask<T>> attempt, Action<Exception> trouble, CancellationToken stopped, TimeSpan? limit = null)
    {
        long begin = _time.GetTimestamp();
        bool MayPass(Exception fault) => IsPassing(fault, stopped) && (limit is null || _time.GetElapsedTime(begin) < limit);
        var policy = new RetryPolicy(_time, MayPass, Delays, _random.NextDouble, (fault, _) => trouble(fault));
        return policy.RunAsync(attempt, stopped);
    }
}
