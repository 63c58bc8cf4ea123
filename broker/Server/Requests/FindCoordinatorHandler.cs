using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Coordinator = LogPipeline.Protocol.Messages.FindCoordinatorResponse.Coordinator;

namespace LogPipeline.Broker.Requests;

/// <summary>
/// FindCoordinator: a group is coordinated by the leader of its partition of the internal topic, which is created before the answer.
/// </summary>
internal sealed class FindCoordinatorHandler(ClusterMetadata cluster, OffsetsTopic offsets)
    : RequestHandler<FindCoordinatorRequest, FindCoordinatorResponse>
{
    private const sbyte GroupKey = 0;

    protected override ValueTask<FindCoordinatorResponse?> AnswerAsync(
        FindCoordinatorRequest request, RequestContext context, CancellationToken cancellation)
    {
        (ErrorCode error, string? message) = Prepare(request.KeyType);
        Coordinator one = Find(request.Key, error, message, context.Connection);
        return new(new FindCoordinatorResponse
        {
            ErrorCode = one.ErrorCode,
            ErrorMessage = one.ErrorMessage,
            NodeId = one.NodeId,
            Host = one.Host,
            Port = one.Port,
            Coordinators = [.. request.CoordinatorKeys.Select(key => Find(key, error, message, context.Connection))],
        });
    }

    private Coordinator Find(string group, ErrorCode error, string? message, ClientConnection connection)
    {
        if (error == ErrorCode.None && LeaderFor(group) is { } leader)
        {
            (string host, int port) = leader.AddressFor(connection);
            return new Coordinator { Key = group, NodeId = leader.Id, Host = host, Port = port };
        }
        return new Coordinator
        {
            Key = group,
            NodeId = -1,
            Host = "",
            Port = -1,
            ErrorCode = error == ErrorCode.None ? ErrorCode.CoordinatorNotAvailable : error,
            ErrorMessage = message,
        };
    }

    private BrokerImage? LeaderFor(string group)
    {
        ClusterImage image = cluster.Image;
        return image.Find(TopicName.Offsets) is { Partitions.Count: > 0 } topic
            ? image.LeaderOf(topic.Name, OffsetsTopic.Number(group, topic.Partitions.Count))
            : null;
    }

    private (ErrorCode Error, string? Message) Prepare(sbyte keyType)
    {
        if (keyType != GroupKey)
        {
            return (ErrorCode.InvalidRequest, keyType == 1 ? "Transactions are not served." : $"Coordinators of type {keyType} are not served.");
        }
        try
        {
            offsets.Ensure();
            return (ErrorCode.None, null);
        }
        catch (IOException e)
        {
            return (ErrorCode.CoordinatorNotAvailable, e.Message);
        }
    }
}
