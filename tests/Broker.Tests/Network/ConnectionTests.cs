using System.Buffers.Binary;
using System.Text;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Network;

public sealed class ConnectionTests
{
    [Fact]
    public async Task An_unknown_ApiVersions_version_is_answered_in_the_shape_of_version_0()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        client.Transport.Write(Convert.FromHexString("0000000e" + "0012" + "0063" + "00000007" + "0001" + "63" + "001122"));
        byte[] answer = await client.NextFrameAsync();
        Assert.Equal("00000007" + "0023" + "00000001" + "0012" + "0000" + "0004", Convert.ToHexString(answer).ToLowerInvariant());
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task ApiVersions_tells_the_ranges_that_clients_look_for(short version)
    {
        await using var broker = new TestBroker();
        var request = new ApiVersionsRequest { ClientSoftwareName = "n", ClientSoftwareVersion = "1.0" };
        ApiVersionsResponse response = await broker.Connect().SendAsync<ApiVersionsRequest, ApiVersionsResponse>(request, version);
        Assert.Equal(ErrorCode.None, response.ErrorCode);
        Assert.Equal(35, response.ApiKeys.Count);
        Assert.Equal((0, 13), Range(ApiKey.Produce));
        Assert.Equal((0, 18), Range(ApiKey.Fetch));
        Assert.Equal((0, 9), Range(ApiKey.JoinGroup));
        Assert.Equal((0, 11), Range(ApiKey.ListOffsets));

        (int, int) Range(ApiKey key) => response.ApiKeys.Where(k => k.ApiKey == (short)key).Select(k => (k.MinVersion, k.MaxVersion)).Single();
    }

    [Fact]
    public async Task A_software_name_with_a_space_is_refused()
    {
        await using var broker = new TestBroker();
        var request = new ApiVersionsRequest { ClientSoftwareName = "no name", ClientSoftwareVersion = "1.0" };
        Assert.Equal(ErrorCode.InvalidRequest, (await broker.Connect().SendAsync<ApiVersionsRequest, ApiVersionsResponse>(request, 3)).ErrorCode);
    }

    public static TheoryData<byte[]> Garbage => new(
        Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        Convert.FromHexString("ffffffff"),
        Convert.FromHexString("00000000"),
        Convert.FromHexString("0000000800ff000000000001"),
        Convert.FromHexString("0000000a00000002000000010000"),
        Convert.FromHexString("0000001200030001000000010000" + "7fffffff00000000"));

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Garbage_closes_its_own_connection_and_no_other(byte[] garbage)
    {
        await using var broker = new TestBroker();
        TestClient good = broker.Connect();
        await good.CreatedAsync("t");
        TestClient bad = broker.Connect();
        bad.Transport.Write(garbage);
        await bad.ClosedAsync();
        Assert.Equal(0, (await good.ProduceAsync("t", Ask.Batch(1))).BaseOffset);
    }

    [Fact]
    public async Task A_client_that_leaves_within_a_frame_is_closed()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        client.Transport.Write([0, 0, 1]);
        client.Transport.CloseFromClient();
        await client.ClosedAsync();
    }

    [Fact]
    public async Task Frames_cut_anywhere_and_glued_together_are_understood()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        byte[] ping = Convert.FromHexString("0000000b" + "0012" + "0000" + "00000005" + "0001" + "63");
        byte[] stream = [.. ping, .. ping, .. ping];
        for (int i = 0; i < stream.Length; i += 7)
        {
            client.Transport.Write(stream[i..Math.Min(i + 7, stream.Length)]);
        }
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(5, BinaryPrimitives.ReadInt32BigEndian(await client.NextFrameAsync()));
        }
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order_and_appended_in_order()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        var posted = new List<int>();
        for (int i = 0; i < 200; i++)
        {
            posted.Add(client.Post<ProduceRequest, ProduceResponse>(Ask.Produce("t", Ask.Batch(1, size: i % 2 == 0 ? 10 : 50_000)), 9));
        }
        int last = client.Post<ListOffsetsRequest, ListOffsetsResponse>(
            new ListOffsetsRequest { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -1 }] }] }, 5);
        for (int i = 0; i < posted.Count; i++)
        {
            ProduceResponse answer = await client.NextAsync<ProduceRequest, ProduceResponse>(posted[i], 9);
            Assert.Equal(i, answer.Responses[0].PartitionResponses[0].BaseOffset);
        }
        ListOffsetsResponse end = await client.NextAsync<ListOffsetsRequest, ListOffsetsResponse>(last, 5);
        Assert.Equal(200, end.Topics[0].Partitions[0].Offset);
    }

    [Fact]
    public async Task Produce_answers_wait_for_the_flush_and_overlap_until_then()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        var disk = new TaskCompletionSource();
        broker.Files.FlushDelay = _ => disk.Task;
        int first = client.Post<ProduceRequest, ProduceResponse>(Ask.Produce("t", Ask.Batch(1)), 9);
        int second = client.Post<ProduceRequest, ProduceResponse>(Ask.Produce("t", Ask.Batch(1)), 9);
        TestClient other = broker.Connect();
        while ((await EndAsync(other)) < 2)
        {
            await Task.Yield();
        }
        Assert.False(client.Transport.Sent.TryPeek(out _));
        disk.SetResult();
        Assert.Equal(0, (await client.NextAsync<ProduceRequest, ProduceResponse>(first, 9)).Responses[0].PartitionResponses[0].BaseOffset);
        Assert.Equal(1, (await client.NextAsync<ProduceRequest, ProduceResponse>(second, 9)).Responses[0].PartitionResponses[0].BaseOffset);

        async Task<long> EndAsync(TestClient asking)
        {
            await asking.MetadataAsync("t");
            return broker.Core.Topics.Find("t")!.Partitions[0].LogEndOffset;
        }
    }
}
