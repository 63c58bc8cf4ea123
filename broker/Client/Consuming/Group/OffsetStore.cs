using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Consuming.Group;

/// <summary>A group's committed offsets at its coordinator. By topic name: version 10, by id, is left out on purpose, as a group may outlive a topic's id.</summary>
internal static class OffsetStore
{
    private const short LastVersionByName = 9;

    /// <summary>The committed points, ordered; all of the group's for null. Throws <see cref="BrokerErrorException"/>.</summary>
    public static async ValueTask<IReadOnlyList<KeyValuePair<TopicPartition, CommitPoint>>> FetchAsync(
        BrokerConnection coordinator, string group, IReadOnlyList<TopicPartition>? partitions, CancellationToken ct)
    {
        List<OffsetFetchRequest.Topic>? topics = partitions?.GroupBy(p => p.Topic, StringComparer.Ordinal)
            .Select(t => new OffsetFetchRequest.Topic { Name = t.Key, PartitionIndexes = [.. t.Select(p => p.Partition)] }).ToList();
        var request = new OffsetFetchRequest
        {
            GroupId = group,
            Topics = topics,
            Groups =
            [
                new() { GroupId = group, Topics = topics?.Select(t => new OffsetFetchRequest.Group.Topic { Name = t.Name, PartitionIndexes = t.PartitionIndexes }).ToList() },
            ],
            RequireStable = true,
        };
        OffsetFetchResponse answer = await coordinator.SendAsync<OffsetFetchRequest, OffsetFetchResponse>(
            request, LastVersionByName, TimeSpan.FromSeconds(30), ct);
        ErrorCode whole = answer.Groups.Count > 0 ? answer.Groups[0].ErrorCode : answer.ErrorCode;
        Check(whole, $"committed offsets of '{group}'");
        List<KeyValuePair<TopicPartition, CommitPoint>> found = [];
        foreach (OffsetFetchResponse.Topic topic in answer.Topics)
        {
            foreach (OffsetFetchResponse.Topic.Partition p in topic.Partitions)
            {
                Take(new TopicPartition(topic.Name, p.PartitionIndex), p.ErrorCode, new CommitPoint(p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata));
            }
        }
        foreach (OffsetFetchResponse.Group.Topic topic in answer.Groups.SelectMany(g => g.Topics))
        {
            foreach (OffsetFetchResponse.Group.Topic.Partition p in topic.Partitions)
            {
                Take(new TopicPartition(topic.Name, p.PartitionIndex), p.ErrorCode, new CommitPoint(p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata));
            }
        }
        found.Sort((a, b) => a.Key.CompareTo(b.Key));
        return found;

        void Take(TopicPartition partition, ErrorCode code, CommitPoint point)
        {
            Check(code, $"committed offset of '{group}' for {partition}");
            if (point.Offset >= 0)
            {
                found.Add(new(partition, point));
            }
        }
    }

    /// <summary>Commits; throws <see cref="BrokerErrorException"/> with the first error.</summary>
    public static async ValueTask CommitAsync(
        BrokerConnection coordinator, Membership member, IEnumerable<KeyValuePair<TopicPartition, CommitPoint>> points, CancellationToken ct)
    {
        var request = new OffsetCommitRequest
        {
            GroupId = member.Group,
            GenerationIdOrMemberEpoch = member.Generation,
            MemberId = member.MemberId,
            GroupInstanceId = member.InstanceId,
            Topics =
            [
                .. points.GroupBy(p => p.Key.Topic, StringComparer.Ordinal).OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new OffsetCommitRequest.Topic
                {
                    Name = t.Key,
                    Partitions =
                    [
                        .. t.OrderBy(p => p.Key.Partition).Select(p => new OffsetCommitRequest.Topic.Partition
                        {
                            PartitionIndex = p.Key.Partition,
                            CommittedOffset = p.Value.Offset,
                            CommittedLeaderEpoch = p.Value.LeaderEpoch,
                            CommittedMetadata = p.Value.Metadata ?? "",
                        }),
                    ],
                }),
            ],
        };
        OffsetCommitResponse answer = await coordinator.SendAsync<OffsetCommitRequest, OffsetCommitResponse>(
            request, LastVersionByName, TimeSpan.FromSeconds(30), ct);
        foreach (OffsetCommitResponse.Topic topic in answer.Topics)
        {
            foreach (OffsetCommitResponse.Topic.Partition p in topic.Partitions)
            {
                Check(p.ErrorCode, $"commit of '{member.Group}' for {topic.Name}-{p.PartitionIndex}");
            }
        }
    }

    private static void Check(ErrorCode code, string what)
    {
        if (code != ErrorCode.None)
        {
            throw new BrokerErrorException(code, $"{what}: {code}");
        }
    }
}

/// <summary>Who we are in a group; generation -1 and an empty member id outside of it.</summary>
internal sealed record Membership(string Group, string MemberId, int Generation, string? InstanceId);
