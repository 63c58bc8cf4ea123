using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.ElectLeadersResponse.ReplicaElectionResult.PartitionResult;
using Result = LogPipeline.Protocol.Messages.ElectLeadersResponse.ReplicaElectionResult;

namespace LogPipeline.Broker.Requests;

/// <summary>ElectLeaders: a partition has one replica, which leads whenever its log is open, so there is never anything to elect.</summary>
internal sealed class ElectLeadersHandler(ClusterMetadata cluster) : RequestHandler<ElectLeadersRequest, ElectLeadersResponse>
{
    private const sbyte Preferred = 0;
    private const sbyte Unclean = 1;

    protected override ValueTask<ElectLeadersResponse?> AnswerAsync(
        ElectLeadersRequest request, RequestContext context, CancellationToken cancellation)
    {
        ClusterImage image = cluster.Image;
        if (request.ElectionType is not (Preferred or Unclean))
        {
            return new(new ElectLeadersResponse { ErrorCode = ErrorCode.InvalidRequest, ReplicaElectionResults = [.. (request.TopicPartitions ?? []).Select(Refused)] });
        }
        return new(new ElectLeadersResponse
        {
            ReplicaElectionResults = [.. request.TopicPartitions is { } asked ? Elect(image, asked, request.ElectionType) : ElectAll(image, request.ElectionType)],
        });
    }

    private static IEnumerable<Result> Elect(ClusterImage image, List<ElectLeadersRequest.TopicPartition> asked, sbyte type) =>
        from same in asked.GroupBy(static topic => topic.Topic, StringComparer.Ordinal)
        let numbers = same.SelectMany(static topic => topic.Partitions).Distinct()
        select new Result { Topic = same.Key, PartitionResults = [.. numbers.Select(number => Elect(image, same.Key, number, type))] };

    /// <summary>Where every partition is asked about, each topic is told, and of its partitions those with which something went wrong.</summary>
    private static IEnumerable<Result> ElectAll(ClusterImage image, sbyte type) =>
        from topic in image.Topics.Values
        let wrong = Enumerable.Range(0, topic.Partitions.Count)
            .Select(number => Elect(image, topic.Name, number, type))
            .Where(static answer => answer.ErrorCode != ErrorCode.ElectionNotNeeded)
            .ToList()
        select new Result { Topic = topic.Name, PartitionResults = wrong };

    private static Result Refused(ElectLeadersRequest.TopicPartition asked) => new()
    {
        Topic = asked.Topic,
        PartitionResults = asked.Partitions.ConvertAll(static number => new Answer
        {
            PartitionId = number, ErrorCode = ErrorCode.InvalidRequest, ErrorMessage = "There is no such type of election.",
        }),
    };

    private static Answer Elect(ClusterImage image, string topic, int number, sbyte type)
    {
        (ErrorCode error, string message) = image.Find(topic) is not { } found ? (ErrorCode.UnknownTopicOrPartition, $"No such topic as {topic}")
            : (uint)number >= (uint)found.Partitions.Count ? (ErrorCode.UnknownTopicOrPartition, $"No such partition as {topic}-{number}")
            : image.LeaderOf(topic, number) is not null ? (ErrorCode.ElectionNotNeeded, "Leader election not needed for topic partition.")
            : type == Preferred ? (ErrorCode.PreferredLeaderNotAvailable, "The preferred leader was not available.")
            : (ErrorCode.EligibleLeadersNotAvailable, "Eligible topic partition leaders are not available.");
        return new() { PartitionId = number, ErrorCode = error, ErrorMessage = message };
    }
}
