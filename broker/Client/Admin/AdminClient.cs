using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Admin;

/// <summary>Creates, deletes, lists and describes. Errors of a single thing throw <see cref="BrokerErrorException"/>.</summary>
public sealed partial class AdminClient(ClusterClient cluster)
{
    /// <summary>One outcome a topic, in order; does not throw for single topics.</summary>
    public async ValueTask<IReadOnlyList<Outcome>> CreateTopicsAsync(IReadOnlyList<NewTopic> topics, CancellationToken ct)
    {
        var request = new CreateTopicsRequest
        {
            TimeoutMs = (int)cluster.Options.RequestTimeout.TotalMilliseconds,
            Topics = [.. topics.Select(Wanted)],
        };
        CreateTopicsResponse answer = await AskControllerAsync<CreateTopicsRequest, CreateTopicsResponse>(
            request, a => a.Topics.Exists(t => t.ErrorCode == ErrorCode.NotController), ct);
        return [.. topics.Select(t => OutcomeOf(t.Name, answer.Topics.Find(a => a.Name == t.Name)))];

        static CreateTopicsRequest.Topic Wanted(NewTopic topic) => new()
        {
            Name = topic.Name,
            NumPartitions = topic.Partitions,
            ReplicationFactor = topic.ReplicationFactor,
            Configs = [.. (topic.Configs ?? []).Select(c => new CreateTopicsRequest.Topic.Config { Name = c.Key, Value = c.Value })],
        };

        static Outcome OutcomeOf(string name, CreateTopicsResponse.Topic? answer) =>
            answer is null ? new Outcome(name, ErrorCode.UnknownServerError, "not answered") : new Outcome(name, answer.ErrorCode, answer.ErrorMessage);
    }

    /// <summary>One outcome a topic, in order; does not throw for single topics.</summary>
    public async ValueTask<IReadOnlyList<Outcome>> DeleteTopicsAsync(IReadOnlyList<string> topics, CancellationToken ct)
    {
        var request = new DeleteTopicsRequest
        {
            TimeoutMs = (int)cluster.Options.RequestTimeout.TotalMilliseconds,
            TopicNames = [.. topics],
            Topics = [.. topics.Select(t => new DeleteTopicsRequest.Topic { Name = t })],
        };
        DeleteTopicsResponse answer = await AskControllerAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            request, a => a.Responses.Exists(t => t.ErrorCode == ErrorCode.NotController), ct);
        foreach (string topic in topics)
        {
            cluster.Invalidate(topic);
        }
        return
        [
            .. topics.Select(t => answer.Responses.Find(a => a.Name == t) is { } found
                ? new Outcome(t, found.ErrorCode, found.ErrorMessage)
                : new Outcome(t, ErrorCode.UnknownServerError, "not answered")),
        ];
    }

    /// <summary>All topics, ordered by name.</summary>
    public async ValueTask<IReadOnlyList<TopicMetadata>> ListTopicsAsync(CancellationToken ct)
    {
        MetadataResponse answer = await cluster.MetadataAsync(null, create: false, ct);
        return [.. answer.Topics.Where(t => t.ErrorCode == ErrorCode.None && t.Name is not null).Select(MetadataCache.Described).OrderBy(t => t.Name, StringComparer.Ordinal)];
    }

    /// <summary>The topic as it is now; never creates it.</summary>
    public async ValueTask<TopicMetadata> DescribeTopicAsync(string topic, CancellationToken ct)
    {
        MetadataResponse answer = await cluster.MetadataAsync([topic], create: false, ct);
        MetadataResponse.Topic? found = answer.Topics.Find(t => t.Name == topic);
        ErrorCode code = found?.ErrorCode ?? ErrorCode.UnknownTopicOrPartition;
        return code switch
        {
            ErrorCode.None => MetadataCache.Described(found!),
            ErrorCode.UnknownTopicOrPartition => throw new BrokerErrorException(code, $"topic '{topic}' does not exist"),
            _ => throw new BrokerErrorException(code, $"topic '{topic}': {code}"),
        };
    }

    public async ValueTask<ClusterDescription> DescribeClusterAsync(CancellationToken ct)
    {
        await cluster.MetadataAsync([], create: false, ct);
        return new ClusterDescription(cluster.ClusterId, cluster.ControllerId, cluster.Brokers);
    }

    /// <summary>The offset that the spec asks for.</summary>
    public ValueTask<OffsetFound> OffsetAsync(TopicPartition partition, OffsetSpec spec, CancellationToken ct) => cluster.OffsetAsync(partition, spec, ct);

    /// <summary>Producers that the partition remembers, ordered by id; <see cref="UnsupportedApiException"/> on old brokers.</summary>
    public ValueTask<IReadOnlyList<ActiveProducer>> DescribeProducersAsync(TopicPartition partition, CancellationToken ct) => cluster.ProducersAsync(partition, ct);

    /// <summary>The settings in force, ordered by name.</summary>
    public async ValueTask<IReadOnlyList<ConfigEntry>> DescribeConfigsAsync(ConfigResourceType type, string name, CancellationToken ct)
    {
        var request = new DescribeConfigsRequest { Resources = [new() { ResourceType = (sbyte)type, ResourceName = name }], IncludeSynonyms = true };
        BrokerConnection broker = type == ConfigResourceType.Broker && int.TryParse(name, out int node) ? await NodeAsync(node, ct) : await cluster.AnyAsync(ct);
        DescribeConfigsResponse answer = await broker.SendAsync<DescribeConfigsRequest, DescribeConfigsResponse>(request, ct);
        DescribeConfigsResponse.Result? result = answer.Results.Find(r => r.ResourceName == name);
        if (result is null || result.ErrorCode != ErrorCode.None)
        {
            ErrorCode code = result?.ErrorCode ?? ErrorCode.UnknownServerError;
            throw new BrokerErrorException(code, $"{type} '{name}': {result?.ErrorMessage ?? code.ToString()}") { Reason = result?.ErrorMessage };
        }
        return
        [
            .. result.Configs
                .Select(static c => new ConfigEntry(c.Name, c.Value, c.ReadOnly, c.IsDefault || c.ConfigSource == (sbyte)ConfigSource.Default, c.IsSensitive)
                {
                    Source = (ConfigSource)c.ConfigSource,
                    Values = [.. c.Synonyms.Select(static s => new ConfigValue(s.Name, s.Value, (ConfigSource)s.Source))],
                })
                .OrderBy(c => c.Name, StringComparer.Ordinal),
        ];
    }

    private async ValueTask<BrokerConnection> NodeAsync(int nodeId, CancellationToken ct)
    {
        if (cluster.EndpointOf(nodeId) is null)
        {
            await cluster.MetadataAsync([], create: false, ct);
        }
        return cluster.EndpointOf(nodeId) is { } endpoint
            ? await cluster.ConnectAsync(endpoint, 0, ct)
            : throw new BrokerErrorException(ErrorCode.BrokerNotAvailable, $"the cluster has no broker {nodeId}");
    }

    /// <summary>Sends to the controller, asking anew who it is while it moves.</summary>
    private ValueTask<TResponse> AskControllerAsync<TRequest, TResponse>(TRequest request, Func<TResponse, bool> notController, CancellationToken ct)
        where TRequest : class, Protocol.Wire.IRequest<TResponse>
        where TResponse : class, Protocol.Wire.IWireStruct, new() => cluster.Retry.RunAsync(
        async (_, inner) =>
        {
            await cluster.MetadataAsync([], create: false, inner);
            BrokerConnection controller = cluster.EndpointOf(cluster.ControllerId) is { } endpoint
                ? await cluster.ConnectAsync(endpoint, 0, inner)
                : await cluster.AnyAsync(inner);
            TResponse answer = await controller.SendAsync<TRequest, TResponse>(request, inner);
            return notController(answer) ? throw new BrokerErrorException(ErrorCode.NotController, "the controller moved") : answer;
        },
        cluster.Options.LookupTimeout,
        ct);
}
