using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>FindCoordinator: every group is coordinated here; creates the internal topic before it says so.</summary>
internal sealed class FindCoordinatorHandler(OffsetsTopic offsets, int nodeId)
    : RequestHandler<FindCoordinatorRequest, FindCoordinatorResponse>
{
    private const sbyte GroupKey = 0;

    protected override ValueTask<FindCoordinatorResponse?> AnswerAsync(
        FindCoordinatorRequest request, RequestContext context, CancellationToken cancellation)
    {
        (ErrorCode error, string? message) = Prepare(request.KeyType);
        (string host, int port) = error == ErrorCode.None ? context.Connection.Advertised : new HostPort("", -1);
        int node = error == ErrorCode.None ? nodeId : -1;
        return new(new FindCoordinatorResponse
        {
            ErrorCode = error,
            ErrorMessage = message,
            NodeId = node,
            Host = host,
            Port = port,
            Coordinators = [.. request.CoordinatorKeys.Select(key => new FindCoordinatorResponse.Coordinator
            {
                Key = key,
                NodeId = node,
                Host = host,
                Port = port,
                ErrorCode = error,
                ErrorMessage = message,
            })],
        });
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
