using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

/// <summary>The oldest versions of Kafka 3.9, that Kafka 4 has dropped.</summary>
public sealed class OldVersionsTests
{
    [Fact]
    public async Task Offsets_committed_by_version_0_are_a_groups_like_any()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        OffsetCommitResponse commit = await client.SendAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 7, CommittedMetadata = "m" }] }] }, 0);
        Assert.Equal(ErrorCode.None, commit.Topics[0].Partitions[0].ErrorCode);
        var request = new OffsetFetchRequest { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }, new() { Name = "nowhere", PartitionIndexes = [0] }] };
        OffsetFetchResponse old = await client.SendAsync<OffsetFetchRequest, OffsetFetchResponse>(request, 0);
        Assert.Equal(
            [(7L, "m", ErrorCode.None), (-1L, "", ErrorCode.UnknownTopicOrPartition)],
            old.Topics.Select(topic => (topic.Partitions[0].CommittedOffset, topic.Partitions[0].Metadata, topic.Partitions[0].ErrorCode)));
        OffsetFetchResponse newer = await client.SendAsync<OffsetFetchRequest, OffsetFetchResponse>(request, 7);
        Assert.Equal([7, -1], newer.Topics.Select(topic => topic.Partitions[0].CommittedOffset));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task OffsetForLeaderEpoch_is_answered_without_fencing(short version)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(3));
        OffsetForLeaderEpochResponse response = await client.SendAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { LeaderEpoch = broker.Core.Topics.Find("t")!.Partitions[0].LeaderEpoch }] }] }, version);
        Assert.Equal((ErrorCode.None, 3), (response.Topics[0].Partitions[0].ErrorCode, response.Topics[0].Partitions[0].EndOffset));
    }

    [Fact]
    public async Task Metadata_of_an_offset_is_counted_in_characters()
    {
        await using var broker = new TestBroker(("offset.metadata.max.bytes", "4"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.None, await CommitAsync(client, "äöüß"));
        Assert.Equal(ErrorCode.OffsetMetadataTooLarge, await CommitAsync(client, "abcde"));
    }

    [Theory]
    [InlineData(5L, -1, ErrorCode.InvalidRequest)]
    [InlineData(-1L, 5, ErrorCode.InvalidRequest)]
    [InlineData(-1L, -1, ErrorCode.None)]
    public async Task Half_a_producers_identity_is_refused(long id, short epoch, ErrorCode error)
    {
        await using var broker = new TestBroker();
        InitProducerIdResponse response = await broker.Connect().SendAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { ProducerId = id, ProducerEpoch = epoch });
        Assert.Equal(error, response.ErrorCode);
    }

    [Fact]
    public async Task A_member_that_an_empty_group_does_not_have_may_not_commit()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitAsync(client, "m", generation: 3, member: "m"));
        Assert.Equal(ErrorCode.None, await CommitAsync(client, "m"));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitAsync(client, "m", generation: 3, member: "m"));
    }

    [Fact]
    public async Task A_sync_says_its_protocol_from_version_5_on()
    {
        await using var broker = new TestBroker();
        SyncGroupResponse response = await broker.Connect().SendAsync<SyncGroupRequest, SyncGroupResponse>(new() { GroupId = "g", MemberId = "m" }, 5);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, response.ErrorCode);
    }

    private static async Task<ErrorCode> CommitAsync(TestClient client, string metadata, int generation = -1, string member = "")
    {
        OffsetCommitResponse response = await client.SendAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new()
            {
                GroupId = "g", GenerationIdOrMemberEpoch = generation, MemberId = member,
                Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 1, CommittedMetadata = metadata }] }],
            },
            8);
        return response.Topics[0].Partitions[0].ErrorCode;
    }
}
