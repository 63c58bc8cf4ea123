using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.DeleteTopicsResponse.Response;
using Asked = LogPipeline.Protocol.Messages.DeleteTopicsRequest.Topic;

namespace LogPipeline.Broker.Requests;

/// <summary>DeleteTopics, by name or id; the error texts are Kafka's.</summary>
internal sealed class DeleteTopicsHandler(TopicRegistry topics, BrokerSettings settings)
    : RequestHandler<DeleteTopicsRequest, DeleteTopicsResponse>
{
    private const short FirstVersionWithDeletionDisabled = 3;

    protected override ValueTask<DeleteTopicsResponse?> AnswerAsync(
        DeleteTopicsRequest request, RequestContext context, CancellationToken cancellation)
    {
        List<Asked> asked = [.. request.TopicNames.Select(name => new Asked { Name = name }), .. request.Topics];
        HashSet<Guid> twice = NamedAndGiven(asked);
        return new(new DeleteTopicsResponse
        {
            Responses = [.. asked
                .Where(topic => topic.Name is not null || !twice.Contains(topic.TopicId))
                .GroupBy(topic => (topic.Name, topic.TopicId))
                .Select(same => Delete(same.First(), same.Count() > 1, twice, context.Version))],
        });
    }

    /// <summary>Ids that are given while their topics are named too; one answer, under the name, tells of both.</summary>
    private HashSet<Guid> NamedAndGiven(List<Asked> asked)
    {
        HashSet<Guid> given = [.. asked.Where(static topic => topic.Name is null).Select(static topic => topic.TopicId)];
        return [.. asked
            .Where(static topic => topic.Name is not null && topic.TopicId == Guid.Empty)
            .Select(topic => topics.Find(topic.Name!)?.Id ?? Guid.Empty)
            .Where(id => id != Guid.Empty && given.Contains(id))];
    }

    private Answer Delete(Asked asked, bool isRepeated, HashSet<Guid> twice, short version)
    {
        if (!settings.DeleteTopics)
        {
            ErrorCode disabled = version < FirstVersionWithDeletionDisabled ? ErrorCode.InvalidRequest : ErrorCode.TopicDeletionDisabled;
            return Refused(asked, disabled, "Topic deletion is disabled.");
        }
        string? unclear = asked.Name is null && asked.TopicId == Guid.Empty ? "Neither topic name nor id were specified."
            : asked.Name is not null && asked.TopicId != Guid.Empty ? "You may not specify both topic name and topic id."
            : isRepeated ? asked.Name is null ? "Duplicate topic id." : "Duplicate topic name."
            : null;
        if (unclear is not null)
        {
            return Refused(asked, ErrorCode.InvalidRequest, unclear);
        }
        Topic? topic = asked.Name is null ? topics.Find(asked.TopicId) : topics.Find(asked.Name);
        if (topic is null)
        {
            return asked.Name is null
                ? Refused(asked, ErrorCode.UnknownTopicId, "This server does not host this topic ID.")
                : Refused(asked, ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
        }
        if (twice.Contains(topic.Id))
        {
            return new()
            {
                Name = topic.Name, TopicId = topic.Id, ErrorCode = ErrorCode.InvalidRequest,
                ErrorMessage = "The provided topic name maps to an ID that was already supplied.",
            };
        }
        if (topic.IsInternal)
        {
            return Refused(asked, ErrorCode.InvalidRequest, $"{topic.Name} is internal and may not be deleted.");
        }
        try
        {
            topics.Delete(topic);
            return new() { Name = topic.Name, TopicId = topic.Id };
        }
        catch (IOException e)
        {
            return Refused(asked, ErrorCode.KafkaStorageError, e.Message);
        }
    }

    private static Answer Refused(Asked asked, ErrorCode error, string message) =>
        new() { Name = asked.Name, TopicId = asked.TopicId, ErrorCode = error, ErrorMessage = message };
}
