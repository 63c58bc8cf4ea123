using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Consuming.Assignors;
using LogPipeline.Client.Consuming.Group;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Admin;

/// <summary>Consumer groups, seen from outside.</summary>
public sealed partial class AdminClient
{
    /// <summary>The groups of all brokers, ordered by name.</summary>
    public async ValueTask<IReadOnlyList<GroupListing>> ListGroupsAsync(CancellationToken ct)
    {
        await cluster.MetadataAsync([], create: false, ct);
        SortedDictionary<string, GroupListing> groups = new(StringComparer.Ordinal);
        foreach (BrokerNode node in cluster.Brokers)
        {
            ListGroupsResponse answer = await cluster.Retry.RunAsync(
                async (_, inner) =>
                {
                    BrokerConnection broker = await cluster.ConnectAsync(node.Endpoint, 0, inner);
                    ListGroupsResponse found = await broker.SendAsync<ListGroupsRequest, ListGroupsResponse>(new ListGroupsRequest(), inner);
                    return Checked(found, found.ErrorCode, $"listing groups of {node.Endpoint}");
                },
                cluster.Options.LookupTimeout,
                ct);
            foreach (ListGroupsResponse.Group group in answer.Groups)
            {
                groups[group.GroupId] = new GroupListing(group.GroupId, group.ProtocolType, group.GroupState, group.GroupType);
            }
        }
        return [.. groups.Values];
    }

    /// <summary>The group; an unknown one has state <c>Dead</c>, or throws <see cref="ErrorCode.GroupIdNotFound"/> on newer brokers.</summary>
    public ValueTask<GroupDescription> DescribeGroupAsync(string group, CancellationToken ct) => AskCoordinatorAsync(
        group,
        async (coordinator, inner) =>
        {
            DescribeGroupsResponse answer = await coordinator.SendAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new DescribeGroupsRequest { Groups = [group] }, inner);
            DescribeGroupsResponse.Group found = answer.Groups.Find(g => g.GroupId == group) ?? throw new InvalidDataException($"the broker's answer leaves out group '{group}'");
            Checked(found, found.ErrorCode, $"group '{group}'");
            return new GroupDescription(
                group,
                found.GroupState,
                found.ProtocolType,
                found.ProtocolData,
                [.. found.Members.Select(m => new MemberDescription(m.MemberId, m.GroupInstanceId, m.ClientId, m.ClientHost, AssignmentOf(found, m)))]);
        },
        ct);

    /// <summary>All committed points of a group, ordered.</summary>
    public ValueTask<IReadOnlyList<KeyValuePair<TopicPartition, CommitPoint>>> GroupOffsetsAsync(string group, CancellationToken ct) =>
        AskCoordinatorAsync(group, (coordinator, inner) => OffsetStore.FetchAsync(coordinator, group, null, inner), ct);

    /// <summary>Deletes a group that nobody is in, with its committed offsets.</summary>
    /// <exception cref="BrokerErrorException">NonEmptyGroup, GroupIdNotFound, or another refusal.</exception>
    public async ValueTask DeleteGroupAsync(string group, CancellationToken ct) => await AskCoordinatorAsync(
        group,
        async (coordinator, inner) =>
        {
            DeleteGroupsResponse answer = await coordinator.SendAsync<DeleteGroupsRequest, DeleteGroupsResponse>(new() { GroupNames = [group] }, inner);
            DeleteGroupsResponse.Result? result = answer.Results.Find(r => r.GroupId == group);
            string? message = result?.ErrorCode switch
            {
                ErrorCode.NonEmptyGroup => "the group has members; stop them first",
                ErrorCode.GroupIdNotFound => "there is no such group",
                _ => null,
            };
            Require(result?.ErrorCode, message, group);
            return answer;
        },
        ct);

    /// <summary>Sets committed offsets of a group that nobody is in; the group is made when there is none.</summary>
    /// <exception cref="BrokerErrorException">UnknownMemberId while the group has members, or another refusal.</exception>
    public async ValueTask CommitOffsetsAsync(string group, IReadOnlyList<KeyValuePair<TopicPartition, CommitPoint>> points, CancellationToken ct) =>
        await AskCoordinatorAsync(
            group,
            async (coordinator, inner) =>
            {
                await OffsetStore.CommitAsync(coordinator, new Membership(group, "", -1, null), points, inner);
                return points.Count;
            },
            ct);

    /// <summary>Deletes committed offsets of a group, those that nobody is subscribed to.</summary>
    /// <returns>One outcome a partition, in order.</returns>
    /// <exception cref="BrokerErrorException">GroupIdNotFound, or another refusal of the whole.</exception>
    public ValueTask<IReadOnlyList<KeyValuePair<TopicPartition, ErrorCode>>> DeleteOffsetsAsync(
        string group, IReadOnlyList<TopicPartition> partitions, CancellationToken ct) => AskCoordinatorAsync<IReadOnlyList<KeyValuePair<TopicPartition, ErrorCode>>>(
        group,
        async (coordinator, inner) =>
        {
            var request = new OffsetDeleteRequest
            {
                GroupId = group,
                Topics =
                [
                    .. partitions.GroupBy(p => p.Topic, StringComparer.Ordinal).Select(t => new OffsetDeleteRequest.Topic
                    {
                        Name = t.Key,
                        Partitions = [.. t.Select(p => new OffsetDeleteRequest.Topic.Partition { PartitionIndex = p.Partition })],
                    }),
                ],
            };
            OffsetDeleteResponse answer = await coordinator.SendAsync<OffsetDeleteRequest, OffsetDeleteResponse>(request, inner);
            Require(answer.ErrorCode, answer.ErrorCode == ErrorCode.GroupIdNotFound ? "there is no such group" : null, group);
            Dictionary<TopicPartition, ErrorCode> codes = answer.Topics
                .SelectMany(t => t.Partitions, static (t, p) => (Partition: new TopicPartition(t.Name, p.PartitionIndex), p.ErrorCode))
                .ToDictionary(p => p.Partition, p => p.ErrorCode);
            return [.. partitions.Select(p => KeyValuePair.Create(p, codes.GetValueOrDefault(p, ErrorCode.UnknownServerError)))];
        },
        ct);

    private ValueTask<T> AskCoordinatorAsync<T>(string group, Func<BrokerConnection, CancellationToken, ValueTask<T>> ask, CancellationToken ct) =>
        cluster.Retry.RunAsync(
            async (attempt, inner) =>
            {
                if (attempt > 0)
                {
                    cluster.InvalidateCoordinator(group);
                }
                return await ask(await cluster.CoordinatorAsync(group, inner), inner);
            },
            cluster.Options.LookupTimeout,
            ct);

    private static List<TopicPartition> AssignmentOf(DescribeGroupsResponse.Group group, DescribeGroupsResponse.Group.Member member) =>
        group.ProtocolType == ConsumerProtocol.Type ? ConsumerProtocol.ReadAssignment(member.MemberAssignment) : [];

    private static T Checked<T>(T answer, ErrorCode code, string what) =>
        code == ErrorCode.None ? answer : throw new BrokerErrorException(code, $"{what}: {(code == ErrorCode.GroupIdNotFound ? "there is no such group" : code)}");
}
