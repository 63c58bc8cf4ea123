using System.Text;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Harness;

/// <summary>Requests about one consumer group that many tests need.</summary>
internal static class AskGroups
{
    public const string GroupId = "g";

    /// <summary>group.initial.rebalance.delay.ms by default.</summary>
    public static readonly TimeSpan InitialDelay = TimeSpan.FromMilliseconds(100);

    public static JoinGroupRequest Join(string member = "", string? instance = null, int version = 9, byte[]? subscription = null) => new()
    {
        GroupId = GroupId,
        SessionTimeoutMs = 10_000,
        RebalanceTimeoutMs = version > 0 ? 60_000 : -1,
        MemberId = member,
        GroupInstanceId = instance,
        ProtocolType = "consumer",
        Protocols = [new() { Name = "range", Metadata = subscription ?? Encoding.UTF8.GetBytes("subscription") }],
    };

    public static SyncGroupRequest Sync(string member, int generation, params (string Member, string Assignment)[] assignments) => new()
    {
        GroupId = GroupId,
        GenerationId = generation,
        MemberId = member,
        Assignments = [.. assignments.Select(a => new SyncGroupRequest.Assignment { MemberId = a.Member, AssignmentValue = Encoding.UTF8.GetBytes(a.Assignment) })],
    };

    /// <summary>Joins an empty group and makes it stable; gives the member id.</summary>
    public static async Task<string> EnterAsync(TestBroker broker, TestClient client, string? instance = null, byte[]? subscription = null)
    {
        short version = instance is null ? (short)3 : (short)7;
        int joining = client.Post<JoinGroupRequest, JoinGroupResponse>(Join(instance: instance, subscription: subscription), version);
        await broker.Time.UntilDueInAsync(InitialDelay);
        broker.Time.Advance(InitialDelay);
        JoinGroupResponse joined = await client.NextAsync<JoinGroupRequest, JoinGroupResponse>(joining, version);
        Assert.Equal(ErrorCode.None, joined.ErrorCode);
        SyncGroupRequest sync = Sync(joined.MemberId, joined.GenerationId, (joined.MemberId, "one"));
        Assert.Equal(ErrorCode.None, (await client.SendAsync<SyncGroupRequest, SyncGroupResponse>(sync, 3)).ErrorCode);
        return joined.MemberId;
    }

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Yield();
        }
    }

    public static async Task<ErrorCode> HeartbeatAsync(TestClient client, string member, int generation, string? instance = null) =>
        (await client.SendAsync<HeartbeatRequest, HeartbeatResponse>(
            new() { GroupId = GroupId, MemberId = member, GenerationId = generation, GroupInstanceId = instance })).ErrorCode;

    public static async Task<DescribeGroupsResponse.Group> DescribeAsync(TestClient client, string group = GroupId) =>
        (await client.SendAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = [group] })).Groups[0];

    public static async Task<ErrorCode> CommitAsync(
        TestClient client, string member, int generation, long offset, string metadata = "", string topic = "t", string group = GroupId)
    {
        var request = new OffsetCommitRequest
        {
            GroupId = group,
            MemberId = member,
            GenerationIdOrMemberEpoch = generation,
            Topics = [new() { Name = topic, Partitions = [new() { CommittedOffset = offset, CommittedMetadata = metadata }] }],
        };
        return (await client.SendAsync<OffsetCommitRequest, OffsetCommitResponse>(request, 9)).Topics[0].Partitions[0].ErrorCode;
    }

    public static async Task<(long Offset, string? Metadata)> CommittedAsync(TestClient client, string group = GroupId, string topic = "t")
    {
        OffsetFetchResponse fetched = await client.SendAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { Groups = [new() { GroupId = group, Topics = [new() { Name = topic, PartitionIndexes = [0] }] }] }, 9);
        OffsetFetchResponse.Group.Topic.Partition partition = fetched.Groups[0].Topics[0].Partitions[0];
        return (partition.CommittedOffset, partition.Metadata);
    }
}
