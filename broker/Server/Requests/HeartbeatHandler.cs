using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>Heartbeat: a member lives, and hears of rebalances.</summary>
internal sealed class HeartbeatHandler(GroupCoordinator groups) : RequestHandler<HeartbeatRequest, HeartbeatResponse>
{
    protected override ValueTask<HeartbeatResponse?> AnswerAsync(
        HeartbeatRequest request, RequestContext context, CancellationToken cancellation) => new(new HeartbeatResponse
        {
            ErrorCode = request.GroupId.Length == 0 ? ErrorCode.InvalidGroupId
                : groups.Find(request.GroupId)?.Heartbeat(request) ?? ErrorCode.UnknownMemberId,
        });
}
