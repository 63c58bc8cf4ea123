using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>DeleteGroups: removes groups that nobody is in; answered when that is durable.</summary>
internal sealed class DeleteGroupsHandler(GroupCoordinator groups) : RequestHandler<DeleteGroupsRequest, DeleteGroupsResponse>
{
    protected override async ValueTask<DeleteGroupsResponse?> AnswerAsync(
        DeleteGroupsRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new DeleteGroupsResponse();
        foreach (string id in request.GroupNames.Distinct(StringComparer.Ordinal))
        {
            response.Results.Add(new() { GroupId = id, ErrorCode = await groups.DeleteAsync(id, cancellation) });
        }
        return response;
    }
}
