using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

// Each group is described once, however often it is named: its members may be many.
/// <summary>DescribeGroups: state and members; a group that is not there is Dead, from version 6 an error too.</summary>
internal sealed class DescribeGroupsHandler(GroupCoordinator groups) : RequestHandler<DescribeGroupsRequest, DescribeGroupsResponse>
{
    protected override ValueTask<DescribeGroupsResponse?> AnswerAsync(
        DescribeGroupsRequest request, RequestContext context, CancellationToken cancellation) => new(new DescribeGroupsResponse
        {
            Groups = [.. request.Groups.Distinct(StringComparer.Ordinal).Select(id => Describe(id, request, context))],
        });

    private DescribeGroupsResponse.Group Describe(string id, DescribeGroupsRequest request, RequestContext context)
    {
        DescribeGroupsResponse.Group described = groups.Find(id)?.Describe() ?? Dead(id, context.Version);
        if (request.IncludeAuthorizedOperations && described.ErrorCode == ErrorCode.None)
        {
            described.AuthorizedOperations = AuthorizedOperations.Of(context, ResourceType.Group, id);
        }
        return described;
    }

    private static DescribeGroupsResponse.Group Dead(string id, short version) => new()
    {
        GroupId = id,
        GroupState = "Dead",
        ErrorCode = version >= 6 ? ErrorCode.GroupIdNotFound : ErrorCode.None,
        ErrorMessage = version >= 6 ? $"Group {id} not found." : null,
    };
}
