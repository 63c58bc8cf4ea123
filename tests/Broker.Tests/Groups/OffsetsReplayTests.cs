using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Broker.Cluster;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage;
using LogPipeline.Testing.Files;

using static LogPipeline.Broker.Tests.Harness.AskGroups;

namespace LogPipeline.Broker.Tests.Groups;

/// <summary>Whatever lies in __consumer_offsets, the broker starts, tells what it stepped over, and keeps the rest.</summary>
public sealed class OffsetsReplayTests
{
    private static readonly byte[] Key = [0, 2, 0, 1, (byte)'h'];

    [Theory]
    [InlineData("test")]
    [InlineData("__admin_client")]
    public async Task No_client_may_write_to_the_offsets_topic(string clientId)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect(clientId);
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { CoordinatorKeys = ["g"] });
        ProduceResponse.Response.PartitionResponse answer = await client.ProduceAsync(TopicName.Offsets, Ask.Batch(1));
        Assert.Equal(ErrorCode.InvalidTopicException, answer.ErrorCode);
    }

    public static TheoryData<string, byte[]> BadBatches => new()
    {
        { "gzip", Batch(CompressionCodec.Gzip, 1, "this is not gzip"u8) },
        { "gzip cut", Batch(CompressionCodec.Gzip, 1, Gzipped(new byte[1000]).AsSpan(0, 15)) },
        { "unknown codec", Batch((CompressionCodec)7, 1, "xx"u8) },
        { "more records than there are", Batch(CompressionCodec.None, 3, Record(Key, [0, 3])) },
        { "a record that runs over the end", Batch(CompressionCodec.None, 1, [120, 0, 0, 0, 2, 1]) },
        { "no key", Batch(CompressionCodec.None, 1, Record(null, [0, 3])) },
        { "an empty key", Batch(CompressionCodec.None, 1, Record([], [0, 3])) },
        { "an empty value", Batch(CompressionCodec.None, 1, Record(Key, [])) },
        { "a value of a later version", Batch(CompressionCodec.None, 1, Record(Key, [0, 9, 0, 0])) },
        { "a negative version", Batch(CompressionCodec.None, 1, Record(Key, [255, 255, 0, 0])) },
        { "a negative session timeout", Batch(CompressionCodec.None, 1, Record(Key, GroupValue(3, -5, 10, "m"))) },
        { "a session timeout of zero", Batch(CompressionCodec.None, 1, Record(Key, GroupValue(3, 0, 10, "m"))) },
        { "a negative rebalance timeout", Batch(CompressionCodec.None, 1, Record(Key, GroupValue(3, 10, -5, "m"))) },
        { "a negative generation", Batch(CompressionCodec.None, 1, Record(Key, GroupValue(-3, 10, 10, "m"))) },
        { "the same member twice", Batch(CompressionCodec.None, 1, Record(Key, GroupValue(3, 10, 10, "m", "m"))) },
        { "a negative partition", Batch(CompressionCodec.None, 1, Record([0, 1, 0, 1, (byte)'h', 0, 1, (byte)'t', 255, 255, 255, 255], null)) },
    };

    [Theory]
    [MemberData(nameof(BadBatches))]
    public async Task A_batch_that_cannot_be_used_is_told_and_what_is_around_it_counts(string what, byte[] batch)
    {
        await using var broker = new TestBroker(("offsets.topic.num.partitions", "1"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, 5));
        Assert.Equal((what, ErrorCode.None), (what, await AppendAsync(broker, batch)));
        Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, 6, group: "behind"));

        await broker.RestartAsync();
        client = broker.Connect();
        Assert.Equal((5, ""), await CommittedAsync(client));
        Assert.Equal((6, ""), await CommittedAsync(client, "behind"));
        Assert.Contains(broker.Log.Lines, line => line.Contains(TopicName.Offsets, StringComparison.Ordinal) && line.Contains('1', StringComparison.Ordinal));
        Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, 7));
    }

    [Fact]
    public async Task A_longer_session_than_is_allowed_ends_at_the_longest_allowed_one()
    {
        await using var broker = new TestBroker(("offsets.topic.num.partitions", "1"), ("offsets.retention.check.interval.ms", "86400000"));
        TestClient client = broker.Connect();
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { CoordinatorKeys = ["h"] });
        await AppendAsync(broker, Batch(CompressionCodec.None, 1, Record(Key, GroupValue(3, int.MaxValue, int.MaxValue, "m"))));
        await broker.RestartAsync();
        client = broker.Connect();
        Assert.Equal("Stable", (await DescribeAsync(client, "h")).GroupState);
        broker.Time.Advance(broker.Core.Settings.SessionTimeoutMax + TimeSpan.FromSeconds(1));
        Assert.Equal("Empty", (await DescribeAsync(client, "h")).GroupState);
    }

    /// <summary>One flipped bit costs at most the commits of the batch that it hits, wherever it is.</summary>
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public async Task A_flipped_bit_costs_only_the_batch_that_it_hits(int seed)
    {
        const int Commits = 40;
        var random = new Random(seed);
        await using var broker = new TestBroker(("offsets.topic.num.partitions", "1"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        for (int i = 0; i < Commits; i++)
        {
            Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, i, new string('x', random.Next(200)), group: $"g{i}"));
        }
        string file = "/data/__consumer_offsets-0/00000000000000000000.log";
        await broker.RestartAsync(() => broker.Disk.Corrupt(file, random.NextInt64(broker.Files.Stat(file)!.Value.Length), (byte)(1 << random.Next(8))));
        client = broker.Connect();
        int kept = 0;
        for (int i = 0; i < Commits; i++)
        {
            long offset = (await CommittedAsync(client, $"g{i}")).Offset;
            Assert.Contains(offset, (long[])[i, -1]);
            kept += offset == i ? 1 : 0;
        }
        Assert.InRange(kept, Commits - 1, Commits);
        Assert.True(kept == Commits || broker.Log.Count(file) > 0, "the damaged file is not named");
    }

    [Fact]
    public async Task Groups_whose_partition_cannot_be_read_are_not_available_and_the_others_are()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        string[] groups = [.. Enumerable.Range(0, 8).Select(i => $"g{i}")];
        foreach (string group in groups)
        {
            Assert.Equal(ErrorCode.None, await CommitAsync(client, "", -1, 5, group: group));
        }
        broker.BeforeFiles = call =>
        {
            bool isReplay = call is { Operation: FileOperation.Read, Position: 0, Length: > RecordBatch.HeaderSize };
            if (isReplay && call.Path.EndsWith("__consumer_offsets-1/00000000000000000000.log", StringComparison.Ordinal))
            {
                throw new IOException("bad sector");
            }
        };
        await broker.RestartAsync();
        client = broker.Connect();
        foreach (string group in groups)
        {
            bool isLost = OffsetsTopic.Number(group, 2) == 1;
            OffsetFetchResponse fetched = await client.SendAsync<OffsetFetchRequest, OffsetFetchResponse>(
                new() { Groups = [new() { GroupId = group, Topics = [new() { Name = "t", PartitionIndexes = [0] }] }] }, 9);
            Assert.Equal(isLost ? ErrorCode.CoordinatorNotAvailable : ErrorCode.None, fetched.Groups[0].ErrorCode);
            JoinGroupRequest join = Join();
            join.GroupId = group;
            ErrorCode joined = (await client.SendAsync<JoinGroupRequest, JoinGroupResponse>(join)).ErrorCode;
            Assert.Equal(isLost ? ErrorCode.CoordinatorNotAvailable : ErrorCode.MemberIdRequired, joined);
        }
        Assert.Contains(groups, group => OffsetsTopic.Number(group, 2) == 1);
        Assert.Contains(groups, group => OffsetsTopic.Number(group, 2) == 0);
    }

    /// <summary>Appends to the offsets topic behind the broker's back; durable on return.</summary>
    private static async Task<ErrorCode> AppendAsync(TestBroker broker, byte[] batch)
    {
        Partition partition = broker.Core.Topics.Find(TopicName.Offsets)!.Partitions[0];
        AppendResult appended = partition.Append(batch, AppendOrigin.Broker);
        await partition.CommittedAsync(appended.LastOffset + 1);
        return appended.Error;
    }

    private static byte[] Batch(CompressionCodec codec, int count, ReadOnlySpan<byte> records)
    {
        byte[] batch = new byte[RecordBatch.HeaderSize + records.Length];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12);
        batch[16] = 2;
        batch[22] = (byte)codec;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(23), count - 1);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(43), -1);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(57), count);
        records.CopyTo(batch.AsSpan(RecordBatch.HeaderSize));
        RecordBatch.Seal(batch);
        return batch;
    }

    /// <summary>One record; all lengths here are below 64, so that each takes one byte.</summary>
    private static byte[] Record(byte[]? key, byte[]? value)
    {
        byte[] body = [0, 0, 0, .. Field(key), .. Field(value), 0];
        return [.. Length(body.Length), .. body];

        static byte[] Field(byte[]? bytes) => bytes is null ? [1] : [.. Length(bytes.Length), .. bytes];

        static byte[] Length(int length) => length < 64 ? [(byte)(length * 2)] : [(byte)((length * 2 & 0x7f) | 0x80), (byte)(length * 2 >> 7)];
    }

    private static byte[] GroupValue(int generation, int session, int rebalance, params string[] members)
    {
        var bytes = new List<byte> { 0, 3 };
        String("consumer");
        Int32(generation);
        String("range");
        String(members[0]);
        Int32(0);
        Int32(0);
        Int32(members.Length);
        foreach (string member in members)
        {
            String(member);
            bytes.AddRange([255, 255]);
            String("client");
            String("/192.0.2.1");
            Int32(rebalance);
            Int32(session);
            Int32(0);
            Int32(0);
        }
        return [.. bytes];

        void Int32(int value) => bytes.AddRange(BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(value)));

        void String(string text)
        {
            bytes.AddRange([0, (byte)text.Length]);
            bytes.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }

    private static byte[] Gzipped(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(plain);
        }
        return packed.ToArray();
    }
}
