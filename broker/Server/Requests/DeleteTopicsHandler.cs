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
        IEnumerable<Asked> asked = [.. request.TopicNames.Select(name => new Asked { Name = name }), .. request.Topics];
        return new(new DeleteTopicsResponse
        {
            Responses = [.. asked.GroupBy(topic => (topic.Name, topic.TopicId)).Select(same => Delete(same.First(), same.Count() > 1, context.Version))],
        });
    }

    private Answer Delete(Asked asked, bool isRepeated, short version)
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
