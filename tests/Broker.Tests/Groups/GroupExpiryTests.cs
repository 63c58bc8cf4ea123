using System.Buffers.Binary;
using System.Text;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using static LogPipeline.Broker.Tests.Harness.AskGroups;

namespace LogPipeline.Broker.Tests.Groups;

public sealed class GroupExpiryTests
{
    private static readonly (string, string)[] OneHour =
        [("offsets.retention.minutes", "60"), ("offsets.retention.check.interval.ms", "60000")];

    [Fact]
    public async Task Offsets_committed_by_nobody_in_particular_expire_after_the_commit()
    {
        await using var broker = new TestBroker(OneHour);
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await CommitAsync(client, "", -1, 5);
        broker.Time.Advance(TimeSpan.FromMinutes(58));
        await CommitAsync(client, "", -1, 6);
        broker.Time.Advance(TimeSpan.FromMinutes(58));
        Assert.Equal((6, ""), await CommittedAsync(client));
        broker.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal((-1, ""), await CommittedAsync(client));
        Assert.Equal("Dead", (await DescribeAsync(client)).GroupState);
        await broker.RestartAsync();
        Assert.Equal((-1, ""), await CommittedAsync(broker.Connect()));
    }

    [Fact]
    public async Task A_group_keeps_its_offsets_while_it_has_members_and_for_the_retention_after_the_last()
    {
        await using var broker = new TestBroker(OneHour);
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        string member = await EnterAsync(broker, client);
        await CommitAsync(client, member, 1, 5);
        await BeatForAsync(broker, client, member, TimeSpan.FromMinutes(90));
        Assert.Equal((5, ""), await CommittedAsync(client));
        await client.SendAsync<LeaveGroupRequest, LeaveGroupResponse>(new() { GroupId = GroupId, Members = [new() { MemberId = member }] });
        broker.Time.Advance(TimeSpan.FromMinutes(58));
        await broker.RestartAsync();
        client = broker.Connect();
        Assert.Equal((5, ""), await CommittedAsync(client));
        Assert.Equal("Empty", (await DescribeAsync(client)).GroupState);
        broker.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal((-1, ""), await CommittedAsync(client));
        await broker.RestartAsync();
        Assert.Empty((await broker.Connect().SendAsync<ListGroupsRequest, ListGroupsResponse>(new())).Groups);
    }

    [Fact]
    public async Task A_stable_group_loses_only_offsets_of_topics_that_nobody_subscribes_to()
    {
        await using var broker = new TestBroker(OneHour);
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.CreatedAsync("former");
        string member = await EnterAsync(broker, client, subscription: Subscription("t"));
        await CommitAsync(client, member, 1, 5);
        await CommitAsync(client, member, 1, 7, topic: "former");
        await BeatForAsync(broker, client, member, TimeSpan.FromMinutes(58));
        Assert.Equal((7, ""), await CommittedAsync(client, topic: "former"));
        await BeatForAsync(broker, client, member, TimeSpan.FromMinutes(3));
        Assert.Equal((-1, ""), await CommittedAsync(client, topic: "former"));
        Assert.Equal((5, ""), await CommittedAsync(client));
        Assert.Equal("Stable", (await DescribeAsync(client)).GroupState);
    }

    [Fact]
    public async Task A_group_that_never_came_to_anything_goes_at_the_next_look()
    {
        await using var broker = new TestBroker(OneHour);
        TestClient client = broker.Connect();
        JoinGroupResponse idOnly = await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join());
        broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("Empty", (await DescribeAsync(client)).GroupState);
        broker.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("Dead", (await DescribeAsync(client)).GroupState);
        Assert.Equal(ErrorCode.UnknownMemberId, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join(idOnly.MemberId))).ErrorCode);
        Assert.Equal(ErrorCode.MemberIdRequired, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join())).ErrorCode);
    }

    [Fact]
    public async Task A_commit_that_waits_for_the_disk_keeps_its_group()
    {
        await using var broker = new TestBroker(OneHour);
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await CommitAsync(client, "", -1, 5);
        broker.Time.Advance(TimeSpan.FromMinutes(59.5));
        var disk = new TaskCompletionSource();
        broker.Files.FlushDelay = _ => disk.Task;
        Task<ErrorCode> committing = CommitAsync(client, "", -1, 6);
        TestClient other = broker.Connect();
        while (broker.Core.Topics.Find("__consumer_offsets")!.Partitions.Max(p => p.Log!.LogEndOffset) < 2)
        {
            await Task.Yield();
        }
        broker.Time.Advance(TimeSpan.FromMinutes(2));
        disk.SetResult();
        Assert.Equal(ErrorCode.None, await committing);
        Assert.Equal((6, ""), await CommittedAsync(other));
    }

    /// <summary>Lets time pass with a heartbeat every five seconds.</summary>
    private static async Task BeatForAsync(TestBroker broker, TestClient client, string member, TimeSpan time)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(5))
        {
            broker.Time.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(ErrorCode.None, await HeartbeatAsync(client, member, 1));
        }
    }

    private static byte[] Subscription(string topic)
    {
        byte[] name = Encoding.UTF8.GetBytes(topic);
        byte[] bytes = [0, 0, 0, 0, 0, 1, 0, 0, .. name, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(6), (short)name.Length);
        return bytes;
    }
}
