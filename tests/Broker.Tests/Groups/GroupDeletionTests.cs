using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using static LogPipeline.Broker.Tests.Harness.AskGroups;

namespace LogPipeline.Broker.Tests.Groups;

public sealed class GroupDeletionTests
{
    /// <summary>A consumer's subscription to topic t: version 0, one topic, no user data.</summary>
    private static readonly byte[] ToT = [0, 0, 0, 0, 0, 1, 0, 1, (byte)'t', 255, 255, 255, 255];

    [Fact]
    public async Task An_empty_group_and_its_offsets_are_gone_and_stay_gone_after_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        string member = await EnterAsync(broker, client);
        await CommitAsync(client, member, 1, 5);
        Assert.Equal([ErrorCode.NonEmptyGroup], await DeleteAsync(client, GroupId));
        await LeaveAsync(client, member);
        Assert.Equal([ErrorCode.None], await DeleteAsync(client, GroupId, GroupId));
        Assert.Equal([ErrorCode.GroupIdNotFound], await DeleteAsync(client, GroupId));
        await CheckAsync(client);
        broker.Crash();
        await CheckAsync(broker.Connect());

        static async Task CheckAsync(TestClient client)
        {
            Assert.Equal((-1, ""), await CommittedAsync(client));
            Assert.Empty((await client.SendAsync<ListGroupsRequest, ListGroupsResponse>(new())).Groups);
        }
    }

    [Fact]
    public async Task A_deleted_groups_name_begins_anew()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        string member = await EnterAsync(broker, client);
        await CommitAsync(client, member, 1, 5);
        await LeaveAsync(client, member);
        await DeleteAsync(client, GroupId);
        Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, 8));
        Assert.Equal((8, ""), await CommittedAsync(client));
        broker.Crash();
        Assert.Equal((8, ""), await CommittedAsync(broker.Connect()));
    }

    [Fact]
    public async Task Groups_that_are_not_there_are_told_one_by_one()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await CommitAsync(client, "", -1, 5, group: "a");
        Assert.Equal([ErrorCode.GroupIdNotFound, ErrorCode.None, ErrorCode.GroupIdNotFound], await DeleteAsync(client, "nowhere", "a", ""));
    }

    [Fact]
    public async Task A_group_without_members_and_offsets_is_there_until_it_is_deleted()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await CommitAsync(client, "", -1, 5);
        Assert.Equal([("t", 0, ErrorCode.None)], (await DeleteOffsetsAsync(client, ("t", 0))).Told);
        Assert.Equal([("t", 0, ErrorCode.None)], (await DeleteOffsetsAsync(client, ("t", 0))).Told);
        Assert.Equal([ErrorCode.None], await DeleteAsync(client, GroupId));
        Assert.Equal([ErrorCode.GroupIdNotFound], await DeleteAsync(client, GroupId));
    }

    [Fact]
    public async Task Offsets_of_an_empty_group_are_deleted_and_stay_deleted_after_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.CreatedAsync("u");
        await CommitAsync(client, "", -1, 5);
        await CommitAsync(client, "", -1, 6, topic: "u");
        Assert.Equal([("t", 0, ErrorCode.None)], (await DeleteOffsetsAsync(client, ("t", 0))).Told);
        await CheckAsync(client);
        broker.Crash();
        client = broker.Connect();
        await CheckAsync(client);
        Assert.Equal([("t", 0, ErrorCode.None)], (await DeleteOffsetsAsync(client, ("t", 0))).Told);

        static async Task CheckAsync(TestClient client)
        {
            Assert.Equal((-1, ""), await CommittedAsync(client));
            Assert.Equal((6, ""), await CommittedAsync(client, topic: "u"));
        }
    }

    [Fact]
    public async Task Offsets_that_a_member_reads_stay_and_partitions_that_are_not_there_are_told()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.CreatedAsync("u");
        string member = await EnterAsync(broker, client, subscription: ToT);
        await CommitAsync(client, member, 1, 5);
        await CommitAsync(client, member, 1, 6, topic: "u");
        (ErrorCode error, (string, int, ErrorCode)[] told) = await DeleteOffsetsAsync(client, ("t", 0), ("u", 0), ("u", 9), ("nowhere", 0));
        Assert.Equal(ErrorCode.None, error);
        Assert.Equal(
            [
                ("t", 0, ErrorCode.GroupSubscribedToTopic), ("u", 0, ErrorCode.None),
                ("u", 9, ErrorCode.UnknownTopicOrPartition), ("nowhere", 0, ErrorCode.UnknownTopicOrPartition),
            ],
            told);
        Assert.Equal((5, ""), await CommittedAsync(client));
        Assert.Equal((-1, ""), await CommittedAsync(client, topic: "u"));
    }

    [Fact]
    public async Task A_group_whose_subscriptions_cannot_be_read_keeps_all_its_offsets()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        string member = await EnterAsync(broker, client, subscription: [0]);
        await CommitAsync(client, member, 1, 5);
        Assert.Equal([("t", 0, ErrorCode.GroupSubscribedToTopic)], (await DeleteOffsetsAsync(client, ("t", 0))).Told);
    }

    [Theory]
    [InlineData("nowhere", ErrorCode.GroupIdNotFound)]
    [InlineData("", ErrorCode.InvalidGroupId)]
    public async Task Offsets_of_no_group_are_refused(string group, ErrorCode error)
    {
        await using var broker = new TestBroker();
        OffsetDeleteResponse response = await broker.Connect().SendAsync<OffsetDeleteRequest, OffsetDeleteResponse>(
            new() { GroupId = group, Topics = [new() { Name = "t", Partitions = [new()] }] });
        Assert.Equal((error, 0), (response.ErrorCode, response.Topics.Count));
    }

    [Fact]
    public async Task A_disk_that_refuses_deletes_nothing()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await CommitAsync(client, "", -1, 5);
        broker.Files.Before = _ => throw new IOException("No space left on device");
        Assert.Equal([ErrorCode.CoordinatorNotAvailable], await DeleteAsync(client, GroupId));
        broker.Files.Before = null;
        Assert.Equal((5, ""), await CommittedAsync(client));
    }

    private static Task<LeaveGroupResponse> LeaveAsync(TestClient client, string member) => client.SendAsync<LeaveGroupRequest, LeaveGroupResponse>(
        new() { GroupId = GroupId, Members = [new() { MemberId = member }] });

    private static async Task<IEnumerable<ErrorCode>> DeleteAsync(TestClient client, params string[] groups)
    {
        DeleteGroupsResponse response = await client.SendAsync<DeleteGroupsRequest, DeleteGroupsResponse>(new() { GroupNames = [.. groups] });
        return response.Results.Select(result => result.ErrorCode);
    }

    private static async Task<(ErrorCode Error, (string Topic, int Partition, ErrorCode Error)[] Told)> DeleteOffsetsAsync(
        TestClient client, params (string Topic, int Partition)[] offsets)
    {
        OffsetDeleteResponse response = await client.SendAsync<OffsetDeleteRequest, OffsetDeleteResponse>(new()
        {
            GroupId = GroupId,
            Topics = [.. offsets.GroupBy(offset => offset.Topic).Select(topic => new OffsetDeleteRequest.Topic
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(offset => new OffsetDeleteRequest.Topic.Partition { PartitionIndex = offset.Partition })],
            })],
        });
        return (response.ErrorCode,
            [.. response.Topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex, partition.ErrorCode)))]);
    }
}
