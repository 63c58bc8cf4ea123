using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using AskedGroup = LogPipeline.Protocol.Messages.OffsetFetchRequest.Group;
using Group = LogPipeline.Protocol.Messages.OffsetFetchResponse.Group;

namespace LogPipeline.Broker.Requests;

/// <summary>OffsetFetch: resume points; up to version 7 of one group, from 8 of several.</summary>
internal sealed class OffsetFetchHandler(TopicRegistry topics, GroupCoordinator groups) : RequestHandler<OffsetFetchRequest, OffsetFetchResponse>
{
    protected override ValueTask<OffsetFetchResponse?> AnswerAsync(
        OffsetFetchRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (context.Version >= 8)
        {
            // All offsets of a group are told once, however often they are asked for.
            IEnumerable<AskedGroup> distinct = request.Groups.DistinctBy(group => (group.GroupId, group.Topics));
            return new(new OffsetFetchResponse { Groups = [.. distinct.Select(group => Fetch(group, context.Version))] });
        }
        var asked = new AskedGroup
        {
            GroupId = request.GroupId,
            Topics = request.Topics?.ConvertAll(topic => new AskedGroup.Topic { Name = topic.Name, PartitionIndexes = topic.PartitionIndexes }),
        };
        Group found = Fetch(asked, context.Version);
        return new(new OffsetFetchResponse { ErrorCode = found.ErrorCode, Topics = found.Topics.ConvertAll(Flat) });
    }

    private Group Fetch(AskedGroup asked, short version)
    {
        GroupOffsets? offsets = groups.FindOffsets(asked.GroupId);
        var answer = new Group { GroupId = asked.GroupId };
        if (!groups.IsAvailable(asked.GroupId))
        {
            answer.ErrorCode = ErrorCode.CoordinatorNotAvailable;
            return answer;
        }
        if (asked.Topics is not null)
        {
            answer.Topics.AddRange(asked.Topics.Select(topic => Fetch(offsets, topic, version)));
            return answer;
        }
        foreach (IGrouping<string, KeyValuePair<(string Topic, int Partition), CommittedOffset>> topic in
            (offsets?.All() ?? []).GroupBy(entry => entry.Key.Topic, StringComparer.Ordinal))
        {
            answer.Topics.Add(new()
            {
                Name = topic.Key,
                TopicId = topics.Find(topic.Key)?.Id ?? Guid.Empty,
                Partitions = [.. topic.Select(entry => Partition(entry.Key.Partition, entry.Value))],
            });
        }
        return answer;
    }

    private Group.Topic Fetch(GroupOffsets? offsets, AskedGroup.Topic asked, short version)
    {
        string? name = version >= 10 ? topics.Find(asked.TopicId)?.Name : asked.Name;
        bool isUnknown = version == 0 && topics.Find(asked.Name) is null; // version 0 was for ZooKeeper, which knew topics only
        return new()
        {
            Name = asked.Name,
            TopicId = asked.TopicId,
            Partitions = asked.PartitionIndexes.ConvertAll(number =>
                name is null ? Refused(number, ErrorCode.UnknownTopicId)
                : isUnknown ? Refused(number, ErrorCode.UnknownTopicOrPartition)
                : Partition(number, offsets?.Find(name, number))),
        };
    }

    private static Group.Topic.Partition Refused(int number, ErrorCode error) =>
        new() { PartitionIndex = number, CommittedOffset = -1, Metadata = "", ErrorCode = error };

    private static Group.Topic.Partition Partition(int number, CommittedOffset? committed) => new()
    {
        PartitionIndex = number,
        CommittedOffset = committed?.Offset ?? -1,
        CommittedLeaderEpoch = committed?.LeaderEpoch ?? -1,
        Metadata = committed?.Metadata ?? "",
    };

    private static OffsetFetchResponse.Topic Flat(Group.Topic topic) => new()
    {
        Name = topic.Name,
        Partitions = topic.Partitions.ConvertAll(partition => new OffsetFetchResponse.Topic.Partition
        {
            PartitionIndex = partition.PartitionIndex,
            CommittedOffset = partition.CommittedOffset,
            CommittedLeaderEpoch = partition.CommittedLeaderEpoch,
            Metadata = partition.Metadata,
            ErrorCode = partition.ErrorCode,
        }),
    };
}
