using System.Text;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Records;
using Answer = LogPipeline.Protocol.Messages.ProduceResponse.Response.PartitionResponse;

namespace LogPipeline.Broker.Tests.Conversion;

/// <summary>What comes in an old format, or otherwise compressed than its topic wants, and what the log has of it.</summary>
public sealed class ProduceConversionTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    public async Task Versions_before_3_take_either_old_format_and_the_log_has_one_batch_of_format_2(short version, int magic)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        byte[] set = [.. OldMessages.Message(magic, "k", "one"), .. OldMessages.Message(magic, null, null, offset: 7)];
        Answer answer = await client.ProduceAsync("t", set, acks: 1, version: version);
        Assert.Equal((ErrorCode.None, 0L), (answer.ErrorCode, answer.BaseOffset));
        Assert.Equal(2, (await client.ProduceAsync("t", OldMessages.Wrapper(magic, OldMessages.Message(magic, null, "two")), version: version)).BaseOffset);

        List<byte[]> batches = await StoredAsync(client, "t");
        Assert.Equal([CompressionCodec.None, CompressionCodec.Gzip], batches.Select(CodecOf));
        long time = magic == 0 ? -1 : OldMessages.Time;
        Assert.Equal([(0L, time, "k", "one"), (1L, time, null, null)], Records(batches[0]));
        Assert.Equal([(2L, time, null, "two")], Records(batches[1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Versions_before_3_take_a_batch_of_format_2_and_an_empty_field_too(short version)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Answer nothing = await client.ProduceAsync("t", [], version: version);
        Assert.Equal((ErrorCode.None, -1L), (nothing.ErrorCode, nothing.BaseOffset));
        Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(3), version: version)).BaseOffset);
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", [.. Ask.Batch(1), .. Ask.Batch(1)], version: version)).ErrorCode);
        Assert.Single(await StoredAsync(client, "t"));
    }

    [Fact]
    public async Task What_no_message_set_may_be_is_refused_whole()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        byte[] message = OldMessages.Message(1, "k", "v");
        byte[] damaged = [.. message];
        damaged[^1] ^= 1;
        foreach ((byte[] set, ErrorCode error) in ((byte[], ErrorCode)[])[
            (damaged, ErrorCode.CorruptMessage),
            ([.. message, .. damaged], ErrorCode.CorruptMessage),
            (OldMessages.Wrapper(1, message, damaged), ErrorCode.CorruptMessage),
            ([.. message, .. message[..^1]], ErrorCode.InvalidRecord),
            ([.. message, .. OldMessages.Message(0, "k", "v")], ErrorCode.InvalidRecord),
            ([.. message, .. Ask.Batch(1)], ErrorCode.InvalidRecord),
            (OldMessages.Wrapper(1, OldMessages.Wrapper(1, message)), ErrorCode.InvalidRecord),
            ([.. OldMessages.Wrapper(1, message), .. message], ErrorCode.InvalidRecord),
            (OldMessages.Message(1, null, "no gzip", attributes: 1), ErrorCode.InvalidRecord),
            (OldMessages.Message(1, null, "no zstd", attributes: 4), ErrorCode.InvalidRecord),
            (OldMessages.Message(3, null, "no format"), ErrorCode.CorruptMessage),
            (new byte[5], ErrorCode.InvalidRecord),
            (OldMessages.Message(1, null, new string('x', 1_100_000)), ErrorCode.MessageTooLarge),
            ([.. OldMessages.Message(1, null, new string('x', 600_000)), .. OldMessages.Message(1, null, new string('x', 600_000))], ErrorCode.MessageTooLarge),
            (OldMessages.Wrapper(1, OldMessages.Message(1, null, new string('x', 16 << 20))), ErrorCode.MessageTooLarge)])
        {
            Answer answer = await client.ProduceAsync("t", set, version: 2);
            Assert.Equal((error, -1L), (answer.ErrorCode, answer.BaseOffset));
        }
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", message, version: 3)).ErrorCode);
        Assert.Empty(await StoredAsync(client, "t"));
        Assert.Equal(0, (await client.ProduceAsync("t", message, version: 2)).BaseOffset);
    }

    [Fact]
    public async Task Requests_of_one_connection_are_appended_in_order_though_some_are_converted()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        for (int i = 0; i < 30; i++)
        {
            bool isOld = i % 3 != 2;
            byte[] set = !isOld ? Ask.Batch(1) : OldMessages.Wrapper(1, OldMessages.Message(1, null, $"{i}" + new string(' ', 40_000 / (1 + i))));
            client.Post<ProduceRequest, ProduceResponse>(Ask.Produce("t", set, acks: i % 2 == 0 ? (short)0 : (short)1), isOld ? (short)2 : (short)9);
        }
        Answer last = await LastAsync(client, count: 15);
        Assert.Equal(29, last.BaseOffset);
        string?[] values = [.. (await StoredAsync(client, "t")).SelectMany(Records).Select(static record => record.Value?.Trim())];
        Assert.Equal(Enumerable.Range(0, 30).Select(static i => i % 3 == 2 ? new string('\0', 10) : $"{i}"), values);
    }

    [Theory]
    [InlineData("uncompressed", CompressionCodec.None)]
    [InlineData("gzip", CompressionCodec.Gzip)]
    [InlineData("snappy", CompressionCodec.Snappy)]
    [InlineData("lz4", CompressionCodec.Lz4)]
    [InlineData("zstd", CompressionCodec.Zstd)]
    public async Task A_topic_compresses_what_comes_otherwise(string type, CompressionCodec codec)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", configs: ("compression.type", type));
        InitProducerIdResponse producer = await client.SendAsync<InitProducerIdRequest, InitProducerIdResponse>(new());
        Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(3, producer.ProducerId, 0, 0, size: 500), version: 9)).BaseOffset);
        Assert.Equal(3, (await client.ProduceAsync("t", Compressed(CompressionCodec.Snappy, 2), version: 9)).BaseOffset);
        Assert.Equal(5, (await client.ProduceAsync("t", OldMessages.Wrapper(0, OldMessages.Message(0, "k", "v")), version: 0)).BaseOffset);
        Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(3, producer.ProducerId, 0, 0, size: 500), version: 9)).BaseOffset);

        List<byte[]> batches = await StoredAsync(client, "t");
        Assert.All(batches, batch => Assert.Equal(codec, CodecOf(batch)));
        Assert.True(BatchHeader.TryParse(batches[0], out BatchHeader first));
        Assert.Equal((producer.ProducerId, (short)0, 0, 3), (first.ProducerId, first.ProducerEpoch, first.BaseSequence, first.RecordCount));
        Assert.Equal(
            [(0L, OldMessages.Time, null, new string('\0', 500)), (1L, OldMessages.Time + 1, null, new string('\0', 500)), (2L, OldMessages.Time + 2, null, new string('\0', 500))],
            Records(batches[0]));
        Assert.Equal([(5L, -1L, "k", "v")], Records(batches[2]));
    }

    [Fact]
    public async Task What_is_compressed_anew_is_checked_before_and_measured_before_and_after()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("packed", configs: ("compression.type", "gzip"));
        byte[] batch = Ask.Batch(3);
        Assert.Equal(ErrorCode.CorruptMessage, (await client.ProduceAsync("packed", [.. batch[..^1], 0x55])).ErrorCode);
        Assert.Equal(ErrorCode.MessageTooLarge, (await client.ProduceAsync("packed", Ask.Batch(1, size: 2_000_000))).ErrorCode);
        await client.CreateTopicAsync("plain", configs: ("compression.type", "uncompressed"));
        Assert.Equal(ErrorCode.MessageTooLarge, (await client.ProduceAsync("plain", Compressed(CompressionCodec.Gzip, 1, size: 2_000_000))).ErrorCode);
        Assert.Empty(await StoredAsync(client, "packed"));
        Assert.Empty(await StoredAsync(client, "plain"));
    }

    [Fact]
    public async Task The_brokers_default_counts_at_once_and_the_topics_own_before_it()
    {
        await using var broker = new TestBroker(("compression.type", "lz4"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.CreateTopicAsync("own", configs: ("compression.type", "producer"));
        await client.ProduceAsync("t", Ask.Batch(1));
        await client.ChangeAsync(Configs.BrokerResource, "", (Configs.Set, "compression.type", "zstd"));
        await client.ProduceAsync("t", Ask.Batch(1));
        await client.ProduceAsync("own", Ask.Batch(1));
        Assert.Equal([CompressionCodec.Lz4, CompressionCodec.Zstd], (await StoredAsync(client, "t")).Select(CodecOf));
        Assert.Equal([CompressionCodec.None], (await StoredAsync(client, "own")).Select(CodecOf));
    }

    [Theory]
    [InlineData("0", ErrorCode.InvalidConfig)]
    [InlineData("10", ErrorCode.InvalidConfig)]
    [InlineData("-1", ErrorCode.None)]
    [InlineData("9", ErrorCode.None)]
    public async Task Gzips_level_is_one_of_its_own_or_minus_1(string level, ErrorCode error)
    {
        await using var broker = new TestBroker();
        Assert.Equal(error, (await broker.Connect().CreateTopicAsync("t", configs: ("compression.gzip.level", level))).ErrorCode);
    }

    private static async Task<Answer> LastAsync(TestClient client, int count)
    {
        ProduceResponse response = null!;
        for (int i = 0; i < count; i++)
        {
            byte[] frame = await client.NextFrameAsync();
            int request = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(frame) - 2; // the topic's creation was the first
            response = Protocol.Wire.Frames.ReadResponse<ProduceResponse>(ProduceRequest.Api, frame, request % 3 != 2 ? (short)2 : (short)9);
        }
        return response.Responses[0].PartitionResponses[0];
    }

    private static async Task<List<byte[]>> StoredAsync(TestClient client, string topic)
    {
        FetchResponse response = await client.FetchAsync(Ask.Fetch(topic, 0));
        var batches = new List<byte[]>();
        for (ReadOnlyMemory<byte> rest = response.Responses[0].Partitions[0].Records.Memory; BatchHeader.TryParse(rest.Span, out BatchHeader header); rest = rest[header.SizeInBytes..])
        {
            Assert.True(RecordBatch.CrcIsValid(rest.Span[..header.SizeInBytes]));
            batches.Add(rest[..header.SizeInBytes].ToArray());
        }
        return batches;
    }

    private static CompressionCodec CodecOf(byte[] batch) => BatchHeader.TryParse(batch, out BatchHeader header) ? header.Codec : (CompressionCodec)7;

    private static List<(long Offset, long Timestamp, string? Key, string? Value)> Records(byte[] batch)
    {
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(batch, in header), in header);
        var records = new List<(long, long, string?, string?)>();
        while (reader.Read())
        {
            records.Add((
                reader.Offset,
                reader.Timestamp,
                reader.HasKey ? Encoding.Latin1.GetString(reader.Key) : null,
                reader.HasValue ? Encoding.Latin1.GetString(reader.Value) : null));
        }
        return records;
    }

    private static byte[] Compressed(CompressionCodec codec, int records, int size = 100)
    {
        using var builder = new RecordBatchBuilder(codec, 16 << 20);
        for (int i = 0; i < records; i++)
        {
            builder.TryAppend(OldMessages.Time, new byte[size]);
        }
        return builder.Build().ToArray();
    }
}
