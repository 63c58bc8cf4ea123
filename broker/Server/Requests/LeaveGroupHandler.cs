using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>LeaveGroup: members go; from version 3 several, and static ones by their instance id.</summary>
internal sealed class LeaveGroupHandler(GroupCoordinator groups) : RequestHandler<LeaveGroupRequest, LeaveGroupResponse>
{
    protected override ValueTask<LeaveGroupResponse?> AnswerAsync(
        LeaveGroupRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.GroupId.Length == 0)
        {
            return new(new LeaveGroupResponse { ErrorCode = ErrorCode.InvalidGroupId });
        }
        Group? group = groups.Find(request.GroupId);
        if (context.Version <= 2)
        {
            return new(new LeaveGroupResponse { ErrorCode = group?.Leave(request.MemberId, null) ?? ErrorCode.UnknownMemberId });
        }
        return new(new LeaveGroupResponse
        {
            Members = [.. request.Members.Select(member => new LeaveGroupResponse.Member
            {
                MemberId = member.MemberId,
                GroupInstanceId = member.GroupInstanceId,
                ErrorCode = group?.Leave(member.MemberId, member.GroupInstanceId) ?? ErrorCode.UnknownMemberId,
            })],
        });
    }
}
