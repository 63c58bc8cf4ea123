using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.DeleteTopicsResponse.Response;

namespace LogPipeline.Broker.Requests;

/// <summary>DeleteTopics, by name or id.</summary>
internal sealed class DeleteTopicsHandler(TopicRegistry topics, BrokerSettings settings)
    : RequestHandler<DeleteTopicsRequest, DeleteTopicsResponse>
{
    protected override ValueTask<DeleteTopicsResponse?> AnswerAsync(
        DeleteTopicsRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new DeleteTopicsResponse();
        foreach (string name in request.TopicNames)
        {
            response.Responses.Add(Delete(topics.Find(name), name, Guid.Empty));
        }
        foreach (DeleteTopicsRequest.Topic topic in request.Topics)
        {
            response.Responses.Add(topic.Name is null
                ? Delete(topics.Find(topic.TopicId), null, topic.TopicId)
                : Delete(topics.Find(topic.Name), topic.Name, topic.TopicId));
        }
        return new(response);
    }

    private Answer Delete(Topic? topic, string? name, Guid id)
    {
        if (!settings.DeleteTopics)
        {
            return Refused(name, id, ErrorCode.TopicDeletionDisabled, "Topic deletion is disabled.");
        }
        if (topic is null)
        {
            return name is null
                ? Refused(name, id, ErrorCode.UnknownTopicId, "This server does not host this topic ID.")
                : Refused(name, id, ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
        }
        if (topic.IsInternal)
        {
            return Refused(name, topic.Id, ErrorCode.InvalidRequest, $"{topic.Name} is internal and may not be deleted.");
        }
        try
        {
            topics.Delete(topic);
            return new() { Name = topic.Name, TopicId = topic.Id };
        }
        catch (IOException e)
        {
            return Refused(topic.Name, topic.Id, ErrorCode.KafkaStorageError, e.Message);
        }
    }

    private static Answer Refused(string? name, Guid id, ErrorCode error, string message) =>
        new() { Name = name, TopicId = id, ErrorCode = error, ErrorMessage = message };
}
