using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Admin;

/// <summary>Changes what is there: partitions, settings and records.</summary>
public sealed partial class AdminClient
{
    /// <summary>Adds partitions to a topic.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="count">How many partitions it is to have, more than it has now.</param>
    /// <param name="ct">Ends the wait for the answer.</param>
    /// <exception cref="BrokerErrorException">The broker refused.</exception>
    public async ValueTask CreatePartitionsAsync(string topic, int count, CancellationToken ct)
    {
        var request = new CreatePartitionsRequest
        {
            TimeoutMs = (int)cluster.Options.RequestTimeout.TotalMilliseconds,
            Topics = [new() { Name = topic, Count = count }],
        };
        CreatePartitionsResponse answer = await AskControllerAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            request, a => a.Results.Exists(t => t.ErrorCode == ErrorCode.NotController), ct);
        cluster.Invalidate(topic);
        CreatePartitionsResponse.Result? result = answer.Results.Find(r => r.Name == topic);
        Require(result?.ErrorCode, result?.ErrorMessage, topic);
    }

    /// <summary>Changes some settings of a topic or broker and leaves the others.</summary>
    /// <returns>What the broker remarks, such as that a setting has no effect on it; null when nothing.</returns>
    /// <exception cref="BrokerErrorException">The broker refused; nothing has changed.</exception>
    /// <exception cref="UnsupportedApiException">The broker is older than Apache Kafka 2.3.</exception>
    public async ValueTask<string?> AlterConfigsAsync(
        ConfigResourceType type, string name, IReadOnlyList<ConfigChange> changes, CancellationToken ct)
    {
        var request = new IncrementalAlterConfigsRequest
        {
            Resources = [new() { ResourceType = (sbyte)type, ResourceName = name, Configs = [.. changes.Select(Asked)] }],
        };
        BrokerConnection broker = type == ConfigResourceType.Broker && int.TryParse(name, out int node) ? await NodeAsync(node, ct) : await cluster.AnyAsync(ct);
        IncrementalAlterConfigsResponse answer = await broker.SendAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(request, ct);
        IncrementalAlterConfigsResponse.Response? response = answer.Responses.Find(r => r.ResourceName == name);
        Require(response?.ErrorCode, response?.ErrorMessage, name);
        return response!.ErrorMessage;

        static IncrementalAlterConfigsRequest.Resource.Config Asked(ConfigChange change) =>
            new() { Name = change.Name, Value = change.Value, ConfigOperation = change.Value is null ? DeleteOperation : SetOperation };
    }

    /// <summary>Deletes the records of a partition that lie before an offset.</summary>
    /// <returns>The first offset that is there now; it never falls.</returns>
    /// <exception cref="BrokerErrorException">The broker refused: OffsetOutOfRange beyond the high watermark.</exception>
    public ValueTask<long> DeleteRecordsAsync(TopicPartition partition, long offset, CancellationToken ct) =>
        cluster.DeleteRecordsAsync(partition, offset, ct);

    private const sbyte SetOperation = 0;
    private const sbyte DeleteOperation = 1;

    private static void Require(ErrorCode? code, string? message, string name)
    {
        ErrorCode error = code ?? ErrorCode.UnknownServerError;
        if (error != ErrorCode.None)
        {
            throw new BrokerErrorException(error, $"{name}: {message ?? error.ToString()} (error {(short)error})") { Reason = message };
        }
    }
}
