using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>ListPartitionReassignments: one broker has nowhere to move a partition to, so none is under way.</summary>
internal sealed class ListPartitionReassignmentsHandler : RequestHandler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>
{
    protected override ValueTask<ListPartitionReassignmentsResponse?> AnswerAsync(
        ListPartitionReassignmentsRequest request, RequestContext context, CancellationToken cancellation) =>
        new(new ListPartitionReassignmentsResponse());
}
