using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol.Wire;
using Polly;
using Polly.Retry;

namespace LogPipeline.Agent.Shipping;

/// <summary>Finds logs in the cluster: a topic's partition count, a partition's leader; tries again, ever less often, until it has them.</summary>
internal sealed class LogDirectory
{
    private static readonly TimeSpan DelayMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(5);

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

    /// <summary>Waits for the topic; gives its number of partitions.</summary>
    public async Task<int> PartitionsAsync(string topic, Action<Exception> trouble, CancellationToken stopped)
    {
        int count = 0;
        await RetryAsync(
            async cancellation => count = (await _cluster.TopicAsync(topic, refresh: false, cancellation)).Partitions.Count, trouble, stopped);
        return count;
    }

    /// <summary>Connects to a log's leader and does <paramref name="open"/> there; both again until both work.</summary>
    public async Task<LogLink> ConnectAsync(
        TopicPartitionKey key, Func<LogLink, CancellationToken, Task> open, Action<Exception> trouble, CancellationToken stopped)
    {
        LogLink? link = null;
        await RetryAsync(
            async cancellation =>
            {
                TopicMetadata topic = await _cluster.TopicAsync(key.Topic, refresh: true, cancellation);
                // A topic that came back with fewer partitions takes what was meant for those it has not.
                int partition = key.Partition < topic.Partitions.Count ? key.Partition : key.Partition % topic.Partitions.Count;
                BrokerConnection connection = await _cluster.LeaderAsync(key.Topic, partition, cancellation);
                var identity = new LogIdentity(_cluster.ClusterId, topic.TopicId, partition);
                link = new LogLink(connection, key.Topic, identity, _options.RequestTimeout);
                await open(link, cancellation);
            },
            trouble,
            stopped);
        return link!;
    }

    private async Task RetryAsync(Func<CancellationToken, Task> attempt, Action<Exception> trouble, CancellationToken stopped)
    {
        var retry = new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = DelayMin,
            MaxDelay = DelayMax,
            Randomizer = _random.NextDouble,
            ShouldHandle = outcome => ValueTask.FromResult(outcome.Outcome.Exception is Exception fault && IsPassing(fault, stopped)),
            OnRetry = retried =>
            {
                trouble(retried.Outcome.Exception!);
                return default;
            },
        };
        ResiliencePipeline pipeline = new ResiliencePipelineBuilder { TimeProvider = _time }.AddRetry(retry).Build();
        // All of the agent runs on one context; the pipeline must come back to it.
        ResilienceContext context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, stopped);
        try
        {
            await pipeline.ExecuteAsync(static async (c, state) => await state(c.CancellationToken), context, attempt);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
