using LogPipeline.Client.Connections;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Metadata;

/// <summary>
/// A cluster seen from outside: its brokers, topics, leaders and coordinators, and one connection to each broker, made when first
/// needed. Safe to share; every call ends within <see cref="ClientOptions.LookupTimeout"/>. <c>_gate</c> guards the two
/// dictionaries below it and the lane counter.
/// </summary>
public sealed partial class ClusterClient : IAsyncDisposable
{
    private readonly IReadOnlyList<BrokerEndpoint> _bootstrap;
    private readonly ConnectionPool _pool;
    private readonly MetadataCache _cache;
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<TopicMetadata>> _lookups = [];
    private readonly Dictionary<string, BrokerEndpoint> _coordinators = [];
    private int _lanes;

    public ClusterClient(ClientOptions options, IConnector connector, TimeProvider time, Random random)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Options = options;
        Time = time;
        Random = new SharedRandom(random);
        _bootstrap = [.. options.Bootstrap.Select(BrokerEndpoint.Parse)];
        _pool = new ConnectionPool(options, connector, time);
        _cache = new MetadataCache(time, options.MetadataMaxAge);
        Retry = new DeadlineRetry(options, time, Random.NextDouble);
    }

    public ClientOptions Options { get; }

    /// <summary>Empty until the first metadata came.</summary>
    public string ClusterId => _cache.ClusterId;

    /// <summary>The brokers, by node id; empty until the first metadata came.</summary>
    public IReadOnlyList<BrokerNode> Brokers => _cache.Brokers;

    internal TimeProvider Time { get; }

    internal SharedRandom Random { get; }

    internal DeadlineRetry Retry { get; }

    internal int ControllerId => _cache.ControllerId;

    /// <summary>
    /// The topic from the cache, or asked anew; waits for a topic that is being created, throws <see cref="BrokerErrorException"/>
    /// when it does not appear.
    /// </summary>
    public ValueTask<TopicMetadata> TopicAsync(string topic, bool refresh, CancellationToken ct)
    {
        if (!refresh && _cache.Find(topic) is { } cached)
        {
            return ValueTask.FromResult(cached);
        }
        Task<TopicMetadata>? lookup;
        lock (_gate)
        {
            if (!_lookups.TryGetValue(topic, out lookup) || lookup.IsCompleted)
            {
                _lookups[topic] = lookup = LookUpAsync(topic);
            }
        }
        return new ValueTask<TopicMetadata>(lookup.OrCancelled(ct));
    }

    /// <summary>A connection to the partition's leader; refreshes metadata until there is one.</summary>
    public ValueTask<BrokerConnection> LeaderAsync(string topic, int partition, CancellationToken ct) => LeaderAsync(new TopicPartition(topic, partition), 0, ct);

    /// <summary>A connection to any broker; <see cref="BrokerUnreachableException"/> when none answers in time.</summary>
    public ValueTask<BrokerConnection> AnyAsync(CancellationToken ct) =>
        FindAny() is { } open ? ValueTask.FromResult(open) : Retry.RunAsync((_, inner) => ConnectAnyAsync(inner), Options.LookupTimeout, ct);

    /// <summary>A fresh producer id and epoch.</summary>
    public ValueTask<ProducerIdentity> NewProducerIdAsync(CancellationToken ct) => Retry.RunAsync(
        async (_, inner) =>
        {
            BrokerConnection any = await AnyAsync(inner);
            var request = new InitProducerIdRequest { TransactionTimeoutMs = 60_000 };
            InitProducerIdResponse answer = await any.SendAsync<InitProducerIdRequest, InitProducerIdResponse>(request, inner);
            return answer.ErrorCode == ErrorCode.None
                ? new ProducerIdentity(answer.ProducerId, answer.ProducerEpoch)
                : throw new BrokerErrorException(answer.ErrorCode, $"no producer id: {answer.ErrorCode}");
        },
        Options.LookupTimeout,
        ct);

    /// <summary>Forgets the topic: the next question goes to a broker (after errors 3, 5, 6 and the like).</summary>
    public void Invalidate(string topic) => _cache.Invalidate(topic);

    public async ValueTask DisposeAsync()
    {
        _closed.Cancel();
        await _pool.DisposeAsync();
    }

    /// <summary>A lane of connections of one's own, for requests that brokers hold back.</summary>
    internal int NewLane()
    {
        lock (_gate)
        {
            return ++_lanes;
        }
    }

    internal ValueTask CloseLaneAsync(int lane) => _pool.CloseLaneAsync(lane);

    /// <summary>The topic as cached, without waiting; an old entry is asked for anew meanwhile. Null when it must be asked for.</summary>
    internal TopicMetadata? Cached(string topic)
    {
        TopicMetadata? cached = _cache.FindAtAnyAge(topic, out bool isOld);
        if (isOld)
        {
            _ = TopicAsync(topic, refresh: true, CancellationToken.None).AsTask();
        }
        return cached;
    }

    /// <summary>The open connection, if there is one.</summary>
    internal BrokerConnection? Connected(BrokerEndpoint endpoint, int lane) => _pool.Find(endpoint, lane);

    internal BrokerEndpoint? EndpointOf(int nodeId) => _cache.EndpointOf(nodeId);

    internal ValueTask<BrokerConnection> ConnectAsync(BrokerEndpoint endpoint, int lane, CancellationToken ct) => _pool.GetAsync(endpoint, lane, ct);

    internal ValueTask<BrokerConnection> LeaderAsync(TopicPartition partition, int lane, CancellationToken ct)
    {
        if (_cache.Find(partition.Topic)?.Find(partition.Partition) is { LeaderId: >= 0 } known
            && _cache.EndpointOf(known.LeaderId) is { } endpoint
            && _pool.Find(endpoint, lane) is { } open)
        {
            return ValueTask.FromResult(open);
        }
        return Retry.RunAsync(
            async (attempt, inner) =>
            {
                TopicMetadata topic = await TopicAsync(partition.Topic, refresh: attempt > 0, inner);
                PartitionMetadata found = topic.Find(partition.Partition)
                    ?? throw new BrokerErrorException(ErrorCode.UnknownTopicOrPartition, $"{partition} does not exist: the topic has {topic.Partitions.Count} partitions");
                return EndpointOf(found.LeaderId) is { } leader
                    ? await _pool.GetAsync(leader, lane, inner)
                    : throw new BrokerErrorException(ErrorCode.LeaderNotAvailable, $"{partition} has no leader");
            },
            Options.LookupTimeout,
            ct);
    }

    /// <summary>Asks for these topics (null: all) once per connection that answers, and caches what came.</summary>
    internal ValueTask<MetadataResponse> MetadataAsync(IReadOnlyList<string>? topics, bool create, CancellationToken ct) =>
        Retry.RunAsync((_, inner) => AskAsync(topics, create, inner), Options.LookupTimeout, ct);

    private async ValueTask<MetadataResponse> AskAsync(IReadOnlyList<string>? topics, bool create, CancellationToken ct)
    {
        BrokerConnection any = FindAny() ?? await ConnectAnyAsync(ct);
        var request = new MetadataRequest
        {
            Topics = topics?.Select(t => new MetadataRequest.Topic { Name = t }).ToList(),
            AllowAutoTopicCreation = create,
        };
        MetadataResponse answer = await any.SendAsync<MetadataRequest, MetadataResponse>(request, ct);
        _cache.Take(answer);
        return answer;
    }

    // What was answered, not what is cached: another caller may have invalidated the topic in between.
    private async Task<TopicMetadata> LookUpAsync(string topic)
    {
        string[] asked = [topic];
        MetadataResponse.Topic? found = await Retry.RunAsync(
            async (_, inner) =>
            {
                MetadataResponse.Topic? answer = (await AskAsync(asked, Options.AutoCreateTopics, inner)).Topics.Find(t => t.Name == topic);
                ErrorCode code = answer?.ErrorCode ?? ErrorCode.UnknownTopicOrPartition;
                bool mayAppear = code.IsRetriable() && (Options.AutoCreateTopics || code != ErrorCode.UnknownTopicOrPartition);
                return mayAppear ? throw new BrokerErrorException(code, Refusal(topic, code)) : answer;
            },
            Options.LookupTimeout,
            _closed.Token);
        ErrorCode error = found?.ErrorCode ?? ErrorCode.UnknownTopicOrPartition;
        return found is not null && error == ErrorCode.None ? MetadataCache.Described(found) : throw new BrokerErrorException(error, Refusal(topic, error));
    }

    private static string Refusal(string topic, ErrorCode code) =>
        code == ErrorCode.UnknownTopicOrPartition ? $"topic '{topic}' does not exist" : $"topic '{topic}': {code}";

    private BrokerConnection? FindAny()
    {
        foreach (BrokerNode broker in _cache.Brokers)
        {
            if (_pool.Find(broker.Endpoint, 0) is { } open)
            {
                return open;
            }
        }
        foreach (BrokerEndpoint endpoint in _bootstrap)
        {
            if (_pool.Find(endpoint, 0) is { } open)
            {
                return open;
            }
        }
        return null;
    }

    private async ValueTask<BrokerConnection> ConnectAnyAsync(CancellationToken ct)
    {
        List<BrokerEndpoint> endpoints = [.. _cache.Brokers.Select(b => b.Endpoint).Concat(_bootstrap).Distinct()];
        int first = Random.Next(endpoints.Count);
        List<string> reasons = [];
        Exception? last = null;
        for (int i = 0; i < endpoints.Count; i++)
        {
            try
            {
                return await _pool.GetAsync(endpoints[(first + i) % endpoints.Count], 0, ct);
            }
            catch (BrokerUnreachableException e)
            {
                reasons.Add(e.Message);
                last = e;
            }
        }
        throw new BrokerUnreachableException($"no broker answered at {string.Join("; ", reasons)}", last);
    }
}
