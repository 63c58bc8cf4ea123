using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>ListGroups, by state and type where asked.</summary>
internal sealed class ListGroupsHandler(GroupCoordinator groups) : RequestHandler<ListGroupsRequest, ListGroupsResponse>
{
    protected override ValueTask<ListGroupsResponse?> AnswerAsync(
        ListGroupsRequest request, RequestContext context, CancellationToken cancellation) => new(new ListGroupsResponse
        {
            Groups = [.. groups.All.Select(group => group.List()).Where(group =>
                Passes(request.StatesFilter, group.GroupState) && Passes(request.TypesFilter, group.GroupType))],
        });

    private static bool Passes(List<string> filter, string value) =>
        filter.Count == 0 || filter.Contains(value, StringComparer.OrdinalIgnoreCase);
}
