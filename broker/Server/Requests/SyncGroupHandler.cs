using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>SyncGroup: parks until the leader has handed out the assignments.</summary>
internal sealed class SyncGroupHandler(GroupCoordinator groups) : RequestHandler<SyncGroupRequest, SyncGroupResponse>
{
    /// <summary>From here on a member says what it joined with.</summary>
    private const short FirstVersionWithProtocols = 5;

    protected override async ValueTask<SyncGroupResponse?> AnswerAsync(
        SyncGroupRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.GroupId.Length == 0)
        {
            return new SyncGroupResponse { ErrorCode = ErrorCode.InvalidGroupId };
        }
        if (context.Version >= FirstVersionWithProtocols && (request.ProtocolType is null || request.ProtocolName is null))
        {
            return new SyncGroupResponse { ErrorCode = ErrorCode.InconsistentGroupProtocol };
        }
        return groups.Find(request.GroupId) is { } group
            ? await group.SyncAsync(request, cancellation).OrCancelled(cancellation).OrCancelled(context.Connection.Gone)
            : new SyncGroupResponse { ErrorCode = ErrorCode.UnknownMemberId };
    }
}
