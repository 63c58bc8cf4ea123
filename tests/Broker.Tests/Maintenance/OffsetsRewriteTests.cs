using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using static LogPipeline.Broker.Tests.Harness.AskGroups;

namespace LogPipeline.Broker.Tests.Maintenance;

/// <summary>__consumer_offsets stays small, and loses nothing that counts.</summary>
public sealed class OffsetsRewriteTests
{
    private const string Noisy = "noisy";
    private const string Quiet = "quiet";
    private const int CommitsOfSegment = 270; // with 4,000 bytes of metadata each, a little more than the least segment holds

    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(10);
    private static readonly (string, string)[] OneSmallPartition =
        [("offsets.topic.num.partitions", "1"), ("offsets.topic.segment.bytes", "1048576"), ("offsets.retention.minutes", "1000")];

    [Fact]
    public async Task What_counts_of_every_group_outlives_the_segments_that_held_it()
    {
        await using TestBroker broker = await StartAsync();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        string member = await EnterAsync(broker, client);
        await CommitAsync(client, member, 1, 5, "beside");
        await client.SendAsync<LeaveGroupRequest, LeaveGroupResponse>(new() { GroupId = GroupId, Members = [new() { MemberId = member }] });
        await CommitAsync(client, "", -1, 7, group: Quiet);
        await CommitManyAsync(client, 3 * CommitsOfSegment);
        Assert.True(Offsets(broker).Log!.SizeBytes > 3 << 20);
        await broker.MaintainAsync(Wait);
        Assert.True(Offsets(broker).Log!.SizeBytes < 1 << 20);
        for (int life = 0; life < 2; life++)
        {
            broker.Crash();
            client = broker.Connect();
            Assert.True(Offsets(broker).LogStartOffset > 2 * CommitsOfSegment);
            Assert.Equal((5, "beside"), await CommittedAsync(client));
            Assert.Equal((7, ""), await CommittedAsync(client, Quiet));
            Assert.Equal(3 * CommitsOfSegment, (await CommittedAsync(client, Noisy)).Offset);
            DescribeGroupsResponse.Group group = await DescribeAsync(client);
            Assert.Equal(("Empty", "consumer"), (group.GroupState, group.ProtocolType));
        }
    }

    [Fact]
    public async Task A_group_with_a_commit_under_way_is_left_to_a_later_round()
    {
        await using TestBroker broker = await StartAsync();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await CommitManyAsync(client, CommitsOfSegment);
        var disk = new TaskCompletionSource();
        broker.Files.FlushDelay = _ => disk.Task;
        Task<ErrorCode> commit = CommitAsync(client, "", -1, 9, group: Quiet);
        while (Offsets(broker).LogEndOffset <= CommitsOfSegment)
        {
            await Task.Yield();
        }
        await broker.MaintainAsync(Wait);
        Assert.Equal(0, Offsets(broker).LogStartOffset);
        broker.Files.FlushDelay = null;
        disk.SetResult();
        Assert.Equal(ErrorCode.None, await commit);
        await broker.MaintainAsync(Wait);
        Assert.True(Offsets(broker).LogStartOffset > 0);
        broker.Crash();
        Assert.Equal((9, ""), await CommittedAsync(broker.Connect(), Quiet));
    }

    [Fact]
    public async Task A_crash_at_any_call_of_a_pass_loses_no_offset_and_revives_none()
    {
        bool wasReached = true;
        for (int call = 1; wasReached; call++)
        {
            await using TestBroker broker = await StartAsync();
            TestClient client = broker.Connect();
            await client.CreatedAsync("t");
            await CommitAsync(client, "", -1, 7, group: Quiet);
            await CommitAsync(client, "", -1, 8, group: "deleted");
            await client.SendAsync<DeleteGroupsRequest, DeleteGroupsResponse>(new() { GroupNames = ["deleted"] });
            await CommitManyAsync(client, CommitsOfSegment);
            int left = call;
            var isDead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            broker.Files.Before = _ =>
            {
                if (Interlocked.Decrement(ref left) == 0)
                {
                    broker.Files.Kill();
                    isDead.SetResult();
                }
            };
            await Task.WhenAny(broker.MaintainAsync(Wait), isDead.Task);
            wasReached = isDead.Task.IsCompleted;
            broker.Crash();
            client = broker.Connect();
            Assert.Equal((7, ""), await CommittedAsync(client, Quiet));
            Assert.Equal(CommitsOfSegment, (await CommittedAsync(client, Noisy)).Offset);
            Assert.Equal((-1, ""), await CommittedAsync(client, "deleted"));
        }
    }

    // Without the broker's own rounds: a closed segment asks for one at once, and the test says when there is one.
    private static async Task<TestBroker> StartAsync()
    {
        var broker = new TestBroker(OneSmallPartition);
        await broker.Core.Maintenance.CloseAsync();
        return broker;
    }

    private static Partition Offsets(TestBroker broker) => broker.Core.Topics.Find("__consumer_offsets")!.Partitions[0];

    private static async Task CommitManyAsync(TestClient client, int count)
    {
        string metadata = new('m', 4000);
        for (int offset = 1; offset <= count; offset++)
        {
            Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, offset, metadata, group: Noisy));
        }
    }
}
