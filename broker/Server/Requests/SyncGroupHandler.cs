using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>SyncGroup: parks until the leader has handed out the assignments.</summary>
internal sealed class SyncGroupHandler(GroupCoordinator groups) : RequestHandler<SyncGroupRequest, SyncGroupResponse>
{
    protected override async ValueTask<SyncGroupResponse?> AnswerAsync(
        SyncGroupRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.GroupId.Length == 0)
        {
            return new SyncGroupResponse { ErrorCode = ErrorCode.InvalidGroupId };
        }
        return groups.Find(request.GroupId) is { } group
            ? await group.SyncAsync(request, cancellation).OrCancelled(cancellation).OrCancelled(context.Connection.Gone)
            : new SyncGroupResponse { ErrorCode = ErrorCode.UnknownMemberId };
    }
}
