using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.AlterPartitionReassignmentsResponse.Response.Partition;
using Asked = LogPipeline.Protocol.Messages.AlterPartitionReassignmentsRequest.Topic.Partition;

namespace LogPipeline.Broker.Requests;

/// <summary>AlterPartitionReassignments: a partition can be moved to where it is, since there is one broker; nothing is ever under way.</summary>
internal sealed class AlterPartitionReassignmentsHandler(ClusterMetadata cluster)
    : RequestHandler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>
{
    protected override ValueTask<AlterPartitionReassignmentsResponse?> AnswerAsync(
        AlterPartitionReassignmentsRequest request, RequestContext context, CancellationToken cancellation)
    {
        ClusterImage image = cluster.Image;
        return new(new AlterPartitionReassignmentsResponse
        {
            AllowReplicationFactorChange = request.AllowReplicationFactorChange,
            Responses = request.Topics.ConvertAll(topic => new AlterPartitionReassignmentsResponse.Response
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(asked => Move(image, image.Find(topic.Name), asked)),
            }),
        });
    }

    private static Answer Move(ClusterImage image, TopicImage? topic, Asked asked)
    {
        (ErrorCode error, string? message) = Refusal(image, topic, asked);
        return new() { PartitionIndex = asked.PartitionIndex, ErrorCode = error, ErrorMessage = message };
    }

    private static (ErrorCode Error, string? Message) Refusal(ClusterImage image, TopicImage? topic, Asked asked)
    {
        if ((uint)asked.PartitionIndex >= (uint)(topic?.Partitions.Count ?? 0))
        {
            return (ErrorCode.UnknownTopicOrPartition, topic is null ? "Unable to find a topic with that name." : $"Unable to find partition {topic.Name}:{asked.PartitionIndex}.");
        }
        if (asked.Replicas is not { } replicas)
        {
            return (ErrorCode.NoReassignmentInProgress, null);
        }
        string? problem = replicas.Count == 0 ? "includes an empty replica list."
            : replicas.Exists(node => !image.Brokers.ContainsKey(node))
                ? $"includes broker {replicas.Find(node => !image.Brokers.ContainsKey(node))}, but no such broker is registered."
            : replicas.Distinct().Count() < replicas.Count ? $"includes the broker {replicas[0]} more than once."
            : null;
        return problem is null ? (ErrorCode.None, null) : (ErrorCode.InvalidReplicaAssignment, $"The manual partition assignment {problem}");
    }
}
