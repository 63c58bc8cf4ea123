using System.Buffers.Binary;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Testing.Fuzz;

namespace LogPipeline.Broker.Tests.Fuzz;

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Whatever clients send, the broker lives, forgets them when they are gone, and pays no memory for what they only claim.</summary>
[Collection(nameof(Alone))]
public sealed class FuzzTests
{
    private const int Frames = 20_000;

    /// <summary>What one input of a few hundred bytes may cost: buffers of a connection, a topic and its answers.</summary>
    private const long AllocationMax = 16 << 20;

    /// <summary>What the objects of a request of the most elements may cost, and its answer.</summary>
    private const long DenseMax = 192 << 20;

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task Frames_of_all_kinds_end_nothing_but_their_own_connection(int seed)
    {
        await using var broker = new TestBroker();
        await broker.Connect().CreatedAsync("t", 2);
        var frames = new RandomFrames(new Random(seed));
        for (int i = 0; i < Frames; i++)
        {
            byte[] input = frames.Next();
            long before = GC.GetTotalAllocatedBytes();
            TestClient client = broker.Connect();
            client.Transport.Write(input);
            client.Transport.CloseFromClient();
            await client.ClosedAsync();
            long allocated = GC.GetTotalAllocatedBytes() - before;
            Assert.True(allocated < AllocationMax, $"{allocated} bytes allocated for {Convert.ToHexString(input)}");
            if (i % 1000 == 999)
            {
                Assert.True(Faults(broker).Length == 0, $"among the frames up to {i}: {string.Join("; ", Faults(broker))}");
            }
        }
        Assert.Null(broker.Fatal);
        TestClient good = broker.Connect();
        await good.CreatedAsync("after");
        Assert.Equal(0, (await good.ProduceAsync("after", Ask.Batch(1))).BaseOffset);
        await broker.RestartAsync();
        Assert.Equal(ErrorCode.None, (await broker.Connect().MetadataAsync("after")).ErrorCode);
    }

    /// <summary>Requests that ended in a fault of the broker's own.</summary>
    private static string[] Faults(TestBroker broker) => [.. broker.Log.Lines.Where(line => line.EndsWith(" failed", StringComparison.Ordinal))];

    /// <summary>A frame of a request whose innermost array has very many, very small elements.</summary>
    private static byte[] Dense(ApiKey api, short version, byte[] before, byte[] element, int count, byte[] after)
    {
        byte[] bytes = new byte[14 + before.Length + 4 + (element.Length * count) + after.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - 4);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(4), (short)api);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(6), version);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(12), -1);
        before.CopyTo(bytes.AsSpan(14));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(14 + before.Length), count);
        for (int i = 0; i < count; i++)
        {
            element.CopyTo(bytes, 18 + before.Length + (i * element.Length));
        }
        after.CopyTo(bytes, bytes.Length - after.Length);
        return bytes;
    }

    private static readonly byte[] TopicT = [0, 1, (byte)'t'];

    public static TheoryData<ApiKey, short, byte[], byte[], byte[]> DenseRequests => new()
    {
        { ApiKey.Metadata, 1, [], TopicT, [] },
        { ApiKey.Metadata, 4, [], [0, 0], [0] },
        { ApiKey.DescribeGroups, 0, [], [0, 1, (byte)'g'], [] },
        { ApiKey.OffsetFetch, 1, [0, 1, (byte)'g', 0, 0, 0, 1, .. TopicT], [0, 0, 0, 0], [] },
        { ApiKey.OffsetCommit, 2, [0, 1, (byte)'g', 255, 255, 255, 255, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1, .. TopicT], new byte[14], [] },
        { ApiKey.Fetch, 4, [255, 255, 255, 255, 127, 255, 255, 255, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 1, .. TopicT], new byte[16], [] },
        { ApiKey.Fetch, 11, [255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, .. TopicT], new byte[28], new byte[6] },
        { ApiKey.ListOffsets, 1, [255, 255, 255, 255, 0, 0, 0, 1, .. TopicT], [0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255], [] },
        { ApiKey.JoinGroup, 0, [0, 1, (byte)'g', 0, 0, 100, 0, 0, 0, 0, 8, .. "consumer"u8], [0, 1, (byte)'p', 0, 0, 0, 0], [] },
    };

    [Theory]
    [MemberData(nameof(DenseRequests))]
    public async Task Memory_stays_bounded_when_a_request_has_very_many_elements(ApiKey api, short version, byte[] before, byte[] element, byte[] after)
    {
        await using var broker = new TestBroker();
        await broker.Connect().CreatedAsync("t");
        int most = Protocol.Wire.Frames.RequestElementsMax - 10;
        Assert.InRange(await CostAsync(broker, Dense(api, version, before, element, most, after)), 0, DenseMax);
        byte[] beyond = Dense(api, version, before, element, most * 2, after);
        Assert.InRange(await CostAsync(broker, beyond), 0, DenseMax);
    }

    /// <summary>Bytes allocated until the broker is through with an input and its client.</summary>
    private static async Task<long> CostAsync(TestBroker broker, byte[] input)
    {
        long before = GC.GetTotalAllocatedBytes();
        TestClient client = broker.Connect();
        client.Transport.Write(input);
        client.Transport.CloseFromClient();
        await client.ClosedAsync();
        return GC.GetTotalAllocatedBytes() - before;
    }
}
