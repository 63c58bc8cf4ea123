using System.Text;
using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using static LogPipeline.Broker.Tests.Harness.AskGroups;

namespace LogPipeline.Broker.Tests.Groups;

public sealed class GroupTests
{
    [Fact]
    public async Task A_limit_on_clients_batches_is_none_on_what_is_kept_of_groups()
    {
        await using var broker = new TestBroker(("message.max.bytes", "100"));
        TestClient client = broker.Connect();
        string member = await EnterAsync(broker, client, subscription: new byte[5000]);
        broker.Crash();
        Assert.Equal(ErrorCode.None, await HeartbeatAsync(broker.Connect(), member, 1));
    }

    [Fact]
    public async Task A_first_member_waits_the_initial_delay_and_then_leads()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        JoinGroupResponse idOnly = await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join());
        Assert.Equal(ErrorCode.MemberIdRequired, idOnly.ErrorCode);
        Assert.StartsWith("test-", idOnly.MemberId, StringComparison.Ordinal);
        int joining = client.Post<JoinGroupRequest, JoinGroupResponse>(Join(idOnly.MemberId), 9);
        await broker.Time.UntilDueInAsync(InitialDelay);
        Assert.False(client.Transport.Sent.TryPeek(out _));
        broker.Time.Advance(InitialDelay);
        JoinGroupResponse joined = await client.NextAsync<JoinGroupRequest, JoinGroupResponse>(joining, 9);
        Assert.Equal((ErrorCode.None, 1, idOnly.MemberId, "range"), (joined.ErrorCode, joined.GenerationId, joined.Leader, joined.ProtocolName));
        Assert.Equal("subscription", Encoding.UTF8.GetString(Assert.Single(joined.Members).Metadata.Span));
    }

    [Fact]
    public async Task Two_members_share_and_the_second_is_gone_when_it_is_silent()
    {
        await using var broker = new TestBroker();
        TestClient a = broker.Connect("a");
        TestClient b = broker.Connect("b");
        string first = await EnterAsync(broker, a);
        Assert.Equal(ErrorCode.None, await HeartbeatAsync(a, first, 1));

        int joining = b.Post<JoinGroupRequest, JoinGroupResponse>(Join(), 3);
        await UntilAsync(async () => await HeartbeatAsync(a, first, 1) == ErrorCode.RebalanceInProgress);
        JoinGroupResponse again = await a.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join(first), 3);
        JoinGroupResponse second = await b.NextAsync<JoinGroupRequest, JoinGroupResponse>(joining, 3);
        Assert.Equal((2, 2, 2, first, 0), (again.GenerationId, second.GenerationId, again.Members.Count, second.Leader, second.Members.Count));

        int syncing = b.Post<SyncGroupRequest, SyncGroupResponse>(Sync(second.MemberId, 2), 3);
        SyncGroupResponse mine = await a.SendAsync<SyncGroupRequest, SyncGroupResponse>(Sync(first, 2, (first, "one"), (second.MemberId, "two")), 3);
        SyncGroupResponse other = await b.NextAsync<SyncGroupRequest, SyncGroupResponse>(syncing, 3);
        Assert.Equal(("one", "two"), (Encoding.UTF8.GetString(mine.Assignment.Span), Encoding.UTF8.GetString(other.Assignment.Span)));

        for (int i = 0; i < 4; i++)
        {
            broker.Time.Advance(TimeSpan.FromSeconds(3));
            await HeartbeatAsync(a, first, 2);
        }
        Assert.Equal(ErrorCode.RebalanceInProgress, await HeartbeatAsync(a, first, 2));
        again = await a.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join(first), 3);
        Assert.Equal((3, 1), (again.GenerationId, again.Members.Count));
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(b, second.MemberId, 2));
    }

    [Fact]
    public async Task Generations_members_and_groups_that_are_not_are_told_so()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        string member = await EnterAsync(broker, client);
        Assert.Equal(ErrorCode.IllegalGeneration, await HeartbeatAsync(client, member, 7));
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(client, "nobody", 1));
        Assert.Equal(ErrorCode.UnknownMemberId, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join("nobody"))).ErrorCode);
        JoinGroupRequest unlike = Join(version: 3);
        unlike.Protocols[0].Name = "unlike";
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(unlike)).ErrorCode);
        JoinGroupRequest hasty = Join();
        hasty.SessionTimeoutMs = 5;
        Assert.Equal(ErrorCode.InvalidSessionTimeout, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(hasty)).ErrorCode);
        JoinGroupRequest nameless = Join();
        nameless.GroupId = "";
        Assert.Equal(ErrorCode.InvalidGroupId, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(nameless)).ErrorCode);
    }

    [Fact]
    public async Task A_member_may_bring_only_so_many_protocols_and_so_much_metadata()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        JoinGroupRequest many = Join();
        many.Protocols = [.. Enumerable.Range(0, 1001).Select(i => new JoinGroupRequest.Protocol { Name = $"p{i}" })];
        Assert.Equal(ErrorCode.InvalidRequest, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(many)).ErrorCode);
        many.Protocols.RemoveAt(0);
        Assert.Equal(ErrorCode.MemberIdRequired, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(many)).ErrorCode);
        JoinGroupRequest large = Join(subscription: new byte[(1 << 20) + 1]);
        Assert.Equal(ErrorCode.InvalidRequest, (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(large)).ErrorCode);
    }

    [Fact]
    public async Task The_last_member_leaves_an_empty_group_that_is_listed_and_described()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        string member = await EnterAsync(broker, client);
        Assert.Equal("Stable", (await DescribeAsync(client)).GroupState);
        Assert.Equal("one", Encoding.UTF8.GetString(Assert.Single((await DescribeAsync(client)).Members).MemberAssignment.Span));
        LeaveGroupResponse left = await client.SendAsync<LeaveGroupRequest, LeaveGroupResponse>(new() { GroupId = GroupId, Members = [new() { MemberId = member }] });
        Assert.Equal(ErrorCode.None, left.Members[0].ErrorCode);
        Assert.Equal("Empty", (await DescribeAsync(client)).GroupState);
        ListGroupsResponse listed = await client.SendAsync<ListGroupsRequest, ListGroupsResponse>(new() { StatesFilter = ["empty"], TypesFilter = ["Classic"] });
        Assert.Equal((GroupId, "consumer"), (Assert.Single(listed.Groups).GroupId, listed.Groups[0].ProtocolType));
        Assert.Empty((await client.SendAsync<ListGroupsRequest, ListGroupsResponse>(new() { StatesFilter = ["Stable"] })).Groups);
        DescribeGroupsResponse dead = await client.SendAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = ["nowhere"] });
        Assert.Equal((ErrorCode.GroupIdNotFound, "Dead"), (dead.Groups[0].ErrorCode, dead.Groups[0].GroupState));
    }

    [Fact]
    public async Task A_static_member_comes_back_without_a_rebalance_and_its_old_id_is_fenced()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        string old = await EnterAsync(broker, client, instance: "i1");
        JoinGroupResponse back = await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(Join(instance: "i1"), 9);
        Assert.Equal((ErrorCode.None, 1, true), (back.ErrorCode, back.GenerationId, back.SkipAssignment));
        Assert.NotEqual(old, back.MemberId);
        Assert.StartsWith("i1-", back.MemberId, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.FencedInstanceId, await HeartbeatAsync(client, old, 1, "i1"));
        Assert.Equal(ErrorCode.None, await HeartbeatAsync(client, back.MemberId, 1, "i1"));
        SyncGroupResponse synced = await client.SendAsync<SyncGroupRequest, SyncGroupResponse>(Sync(back.MemberId, 1), 3);
        Assert.Equal("one", Encoding.UTF8.GetString(synced.Assignment.Span));
    }

    [Fact]
    public async Task Offsets_and_members_survive_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        string member = await EnterAsync(broker, client);
        Assert.Equal(ErrorCode.None, await CommitAsync(client, member, 1, 42, "mine"));
        broker.Crash();
        client = broker.Connect();
        Assert.Equal((42, "mine"), await CommittedAsync(client));
        Assert.Equal(ErrorCode.None, await HeartbeatAsync(client, member, 1));
        Assert.Equal("Stable", (await DescribeAsync(client)).GroupState);
        broker.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("Empty", (await DescribeAsync(client)).GroupState);
        Assert.Equal((42, "mine"), await CommittedAsync(client));
    }

    [Fact]
    public async Task Commits_are_checked()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.GroupIdNotFound, await CommitAsync(client, "nobody", 1, 1));
        Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, 5));
        string member = await EnterAsync(broker, client);
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitAsync(client, "", -1, 6));
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitAsync(client, member, 9, 6));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitAsync(client, "nobody", 1, 6));
        Assert.Equal(ErrorCode.OffsetMetadataTooLarge, await CommitAsync(client, member, 1, 6, new string('x', 5000)));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await CommitAsync(client, member, 1, 6, topic: "nowhere"));
        Assert.Equal((5, ""), await CommittedAsync(client));
    }

    [Fact]
    public async Task A_deleted_topics_offsets_are_forgotten()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await CommitAsync(client, "", -1, 5);
        await client.SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "t" }] });
        Assert.Equal((-1, ""), await CommittedAsync(client));
        await broker.RestartAsync();
        Assert.Equal((-1, ""), await CommittedAsync(broker.Connect()));
    }

    [Theory]
    [InlineData("test", 48)]
    [InlineData("", 0)]
    public void A_groups_partition_is_Kafkas(string group, int partition) => Assert.Equal(partition, OffsetsTopic.Number(group, 50));
}
