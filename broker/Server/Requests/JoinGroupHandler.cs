using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>JoinGroup: parks until the group's join barrier opens.</summary>
internal sealed class JoinGroupHandler(GroupCoordinator groups, BrokerSettings settings) : RequestHandler<JoinGroupRequest, JoinGroupResponse>
{
    /// <summary>The most protocols that a member may offer; clients offer two or three. All of them are kept while it is a member.</summary>
    private const int ProtocolsMax = 1000;

    /// <summary>The most bytes of metadata that a member may bring, for all its protocols; what a record of the group could hold.</summary>
    private const int MetadataBytesMax = 1 << 20;

    protected override async ValueTask<JoinGroupResponse?> AnswerAsync(
        JoinGroupRequest request, RequestContext context, CancellationToken cancellation)
    {
        TimeSpan session = TimeSpan.FromMilliseconds(request.SessionTimeoutMs);
        ErrorCode error = request.GroupId.Length == 0 ? ErrorCode.InvalidGroupId
            : session < settings.SessionTimeoutMin || session > settings.SessionTimeoutMax ? ErrorCode.InvalidSessionTimeout
            : !groups.IsAvailable(request.GroupId) ? ErrorCode.CoordinatorNotAvailable
            : request.Protocols.Count > ProtocolsMax || request.Protocols.Sum(p => (long)p.Metadata.Length) > MetadataBytesMax
                ? ErrorCode.InvalidRequest
            : request.MemberId.Length > 0 && groups.Find(request.GroupId) is null ? ErrorCode.UnknownMemberId
            : ErrorCode.None;
        if (error != ErrorCode.None)
        {
            return new JoinGroupResponse { ErrorCode = error, MemberId = request.MemberId };
        }
        return await groups.FindOrAdd(request.GroupId).JoinAsync(request, context).OrCancelled(cancellation).OrCancelled(context.Connection.Gone);
    }
}
