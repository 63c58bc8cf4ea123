using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Answer = LogPipeline.Protocol.Messages.CreatePartitionsResponse.Result;
using Asked = LogPipeline.Protocol.Messages.CreatePartitionsRequest.Topic;

namespace LogPipeline.Broker.Requests;

/// <summary>CreatePartitions: adds partitions to topics; the error texts are Kafka's, since tools look at them.</summary>
internal sealed class CreatePartitionsHandler(TopicRegistry topics, int nodeId) : RequestHandler<CreatePartitionsRequest, CreatePartitionsResponse>
{
    protected override ValueTask<CreatePartitionsResponse?> AnswerAsync(
        CreatePartitionsRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new CreatePartitionsResponse();
        bool isExcessive = request.Topics.Sum(Increase) > BrokerSettingTable.PartitionsMax;
        foreach (IGrouping<string, Asked> asked in request.Topics.GroupBy(topic => topic.Name, StringComparer.Ordinal))
        {
            response.Results.Add(asked.Count() > 1
                ? Refused(asked.Key, ErrorCode.InvalidRequest, "Duplicate topic name.")
                : Add(asked.First(), isExcessive, request.ValidateOnly));
        }
        return new(response);
    }

    private Answer Add(Asked asked, bool isExcessive, bool validateOnly)
    {
        if (topics.Find(asked.Name) is not { } topic)
        {
            return Refused(asked.Name, ErrorCode.UnknownTopicOrPartition, null);
        }
        if (Refusal(topic, asked, isExcessive) is { } refused)
        {
            return refused;
        }
        if (validateOnly)
        {
            return new() { Name = asked.Name };
        }
        try
        {
            (int before, bool added) = topics.AddPartitions(topic, asked.Count);
            return added ? new() { Name = asked.Name }
                : before == 0 ? Refused(asked.Name, ErrorCode.UnknownTopicOrPartition, null)
                : NoIncrease(asked, before);
        }
        catch (HandlesExhaustedException e)
        {
            return Refused(asked.Name, ErrorCode.PolicyViolation, e.Message);
        }
        catch (IOException e)
        {
            return Refused(asked.Name, ErrorCode.KafkaStorageError, e.Message);
        }
    }

    /// <summary>How many partitions are asked for; 0 where that will be refused for another reason.</summary>
    private long Increase(Asked asked) =>
        topics.Find(asked.Name) is { } topic ? Math.Max(0L, asked.Count - topic.Partitions.Count) : 0;

    private Answer? Refusal(Topic topic, Asked asked, bool isExcessive)
    {
        int now = topic.Partitions.Count;
        if (asked.Count <= now)
        {
            return NoIncrease(asked, now);
        }
        if (isExcessive)
        {
            return Refused(asked.Name, ErrorCode.PolicyViolation,
                $"Excessively large number of partitions per request: at most {BrokerSettingTable.PartitionsMax} are created.");
        }
        if (topic.IsInternal)
        {
            // Kafka does this, and then looks for the groups' offsets in the wrong partitions.
            return Refused(asked.Name, ErrorCode.InvalidRequest, $"{asked.Name} is internal: a group's offsets are found by its number of partitions.");
        }
        return AssignmentProblem(asked.Assignments, asked.Count - now) is { } problem
            ? Refused(asked.Name, ErrorCode.InvalidReplicaAssignment, problem)
            : null;
    }

    private string? AssignmentProblem(List<Asked.Assignment>? assignments, int added)
    {
        if (assignments is null)
        {
            return null;
        }
        if (assignments.Count != added)
        {
            return $"Attempted to add {added} additional partition(s), but only {assignments.Count} assignment(s) were specified.";
        }
        foreach (List<int> brokers in assignments.Select(assignment => assignment.BrokerIds))
        {
            string? problem = brokers.Count == 0 ? "includes an empty replica list."
                : brokers.Exists(broker => broker != nodeId)
                    ? $"includes broker {brokers.Find(broker => broker != nodeId)}, but no such broker is registered."
                : brokers.Count > 1 ? $"includes the broker {nodeId} more than once."
                : null;
            if (problem is not null)
            {
                return $"The manual partition assignment {problem}";
            }
        }
        return null;
    }

    private static Answer NoIncrease(Asked asked, int now) => Refused(asked.Name, ErrorCode.InvalidPartitions, asked.Count == now
        ? $"Topic already has {now} partition(s)."
        : $"The topic {asked.Name} currently has {now} partition(s); {asked.Count} would not be an increase.");

    private static Answer Refused(string name, ErrorCode error, string? message) =>
        new() { Name = name, ErrorCode = error, ErrorMessage = message };
}
