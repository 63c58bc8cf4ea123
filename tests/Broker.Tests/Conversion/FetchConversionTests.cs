using System.Text;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage;
using LogPipeline.Testing.Records;
using Answer = LogPipeline.Protocol.Messages.FetchResponse.Response.Partition;

namespace LogPipeline.Broker.Tests.Conversion;

/// <summary>What clients are sent that know only message formats 0 and 1.</summary>
public sealed class FetchConversionTests
{
    public static TheoryData<short, CompressionCodec> VersionsAndCodecs
    {
        get
        {
            var data = new TheoryData<short, CompressionCodec>();
            for (short version = 0; version <= 3; version++)
            {
                foreach (CompressionCodec codec in (CompressionCodec[])[CompressionCodec.None, CompressionCodec.Gzip, CompressionCodec.Snappy, CompressionCodec.Lz4])
                {
                    data.Add(version, codec);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(VersionsAndCodecs))]
    public async Task Old_clients_read_what_new_ones_wrote_with_its_offsets_and_codec(short version, CompressionCodec codec)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Batch(codec, "a", "b", "c"));
        await client.ProduceAsync("t", Batch(codec, "d"));
        Answer answer = await FetchAsync(client, "t", 1, version);
        Assert.Equal((ErrorCode.None, 4L), (answer.ErrorCode, answer.HighWatermark));
        int magic = version <= 1 ? 0 : 1;
        Assert.All(OldMessages.Entries(answer.Records.Memory), entry => Assert.Equal((magic, (byte)codec), (entry[16], entry[17])));
        long Time(int i) => magic == 0 ? -1 : OldMessages.Time + i;
        (long, long, string?, string?)[] all = [(0, Time(0), "k", "a"), (1, Time(1), "k", "b"), (2, Time(2), "k", "c"), (3, Time(0), "k", "d")];
        Assert.Equal(codec == CompressionCodec.None ? all[1..] : all, OldMessages.Read(answer.Records.Memory));
    }

    [Fact]
    public async Task What_came_in_an_old_format_goes_out_in_either()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", OldMessages.Wrapper(1, OldMessages.Message(1, "k", "one"), OldMessages.Message(1, null, null, offset: 1)), version: 2);
        Assert.Equal([(0L, -1L, "k", "one"), (1L, -1L, null, null)], OldMessages.Read((await FetchAsync(client, "t", 0, 0)).Records.Memory));
        Assert.Equal([(0L, OldMessages.Time, "k", "one"), (1L, OldMessages.Time, null, null)], OldMessages.Read((await FetchAsync(client, "t", 0, 2)).Records.Memory));
    }

    [Fact]
    public async Task The_brokers_time_is_told_in_format_1_and_marked_as_such()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", configs: ("message.timestamp.type", "LogAppendTime"));
        broker.Time.Advance(TimeSpan.FromHours(1));
        long now = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        byte[] message = OldMessages.Message(0, "k", "v");
        Assert.Equal(now, (await client.ProduceAsync("t", message, version: 2)).LogAppendTimeMs);
        await client.ProduceAsync("t", OldMessages.Wrapper(0, message), version: 2);
        ReadOnlyMemory<byte> set = (await FetchAsync(client, "t", 0, 2)).Records.Memory;
        Assert.Equal([8, 9], OldMessages.Entries(set).Select(static entry => (int)entry[17]));
        Assert.Equal([(0L, now, "k", "v"), (1L, now, "k", "v")], OldMessages.Read(set));
        Assert.Equal([(0L, -1L, "k", "v"), (1L, -1L, "k", "v")], OldMessages.Read((await FetchAsync(client, "t", 0, 1)).Records.Memory));
    }

    [Fact]
    public async Task Control_batches_are_left_out_and_what_lies_behind_them_is_found()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(1));
        for (int i = 0; i < 3; i++)
        {
            await AppendControlAsync(broker, "t");
        }
        Answer nothing = await FetchAsync(client, "t", 1, 1);
        Assert.Equal((ErrorCode.None, 4L, 0), (nothing.ErrorCode, nothing.HighWatermark, nothing.Records.Length));
        await client.ProduceAsync("t", Batch(CompressionCodec.Gzip, "behind"));
        // Room for one control batch alone.
        Answer behind = await FetchAsync(client, "t", 1, 1, bytesMax: 10);
        Assert.Equal([(4L, -1L, "k", "behind")], OldMessages.Read(behind.Records.Memory));
        Assert.Equal([0L, 4L], OldMessages.Read((await FetchAsync(client, "t", 0, 1)).Records.Memory).Select(static message => message.Offset));
    }

    [Fact]
    public async Task A_client_that_waits_behind_control_batches_is_answered_when_there_is_a_message()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await AppendControlAsync(broker, "t");
        TestClient old = broker.Connect();
        int asked = old.Post<FetchRequest, FetchResponse>(Ask.Fetch("t", 0, maxWaitMs: 60_000), 1);
        await client.ProduceAsync("t", Batch(CompressionCodec.None, "late"));
        FetchResponse response = await old.NextAsync<FetchRequest, FetchResponse>(asked, 1);
        Assert.Equal([1L], OldMessages.Read(response.Responses[0].Partitions[0].Records.Memory).Select(static message => message.Offset));
    }

    [Fact]
    public async Task Zstd_has_no_old_form_and_what_lies_before_it_goes_out()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Batch(CompressionCodec.None, "before"));
        await client.ProduceAsync("t", Batch(CompressionCodec.Zstd, "packed"));
        Assert.Equal([0L], OldMessages.Read((await FetchAsync(client, "t", 0, 2)).Records.Memory).Select(static message => message.Offset));
        Answer refused = await FetchAsync(client, "t", 1, 2);
        Assert.Equal((ErrorCode.UnsupportedCompressionType, -1L, 0), (refused.ErrorCode, refused.HighWatermark, refused.Records.Length));
        Assert.Equal(ErrorCode.None, (await FetchAsync(client, "t", 1, 4)).ErrorCode);
    }

    [Theory]
    [InlineData(2, ErrorCode.UnsupportedCompressionType)]
    [InlineData(9, ErrorCode.UnsupportedCompressionType)]
    [InlineData(10, ErrorCode.None)]
    public async Task A_topic_that_compresses_with_zstd_is_read_from_version_10_on(short version, ErrorCode error)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", configs: ("compression.type", "zstd"));
        Assert.Equal(error, (await FetchAsync(client, "t", 0, version)).ErrorCode);
    }

    [Fact]
    public async Task Conversion_can_be_turned_off_for_a_topic_and_for_all()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("never", configs: ("message.downconversion.enable", "false"));
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(1));
        Assert.Equal(ErrorCode.UnsupportedVersion, (await FetchAsync(client, "never", 0, 3)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await FetchAsync(client, "never", 0, 4)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await FetchAsync(client, "t", 0, 3)).ErrorCode);
        await client.ChangeAsync(Configs.BrokerResource, "", (Configs.Set, "log.message.downconversion.enable", "false"));
        Assert.Equal(ErrorCode.UnsupportedVersion, (await FetchAsync(client, "t", 0, 3)).ErrorCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task The_first_message_is_sent_whole_whatever_the_limit_and_then_the_limit_is_kept(short version)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(100, size: 1000));
        Assert.Equal([5L], OldMessages.Read((await FetchAsync(client, "t", 5, version, bytesMax: 1)).Records.Memory).Select(static message => message.Offset));
        Answer some = await FetchAsync(client, "t", 5, version, bytesMax: 10_000);
        Assert.InRange(some.Records.Length, 8_000, 10_000);
    }

    [Fact]
    public async Task Every_partition_of_an_old_request_gets_its_first_batch()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", partitions: 3);
        FetchRequest request = Ask.Fetch("t", 0);
        request.Topics[0].Partitions[0].PartitionMaxBytes = 100;
        for (int i = 0; i < 3; i++)
        {
            await client.ProduceAsync("t", Ask.Batch(2, size: 500), partition: i);
            if (i > 0)
            {
                request.Topics[0].Partitions.Add(new() { Index = i, PartitionMaxBytes = 100 });
            }
        }
        FetchResponse response = await client.FetchAsync(request, 1);
        Assert.Equal([1, 1, 1], response.Responses[0].Partitions.Select(static partition => OldMessages.Read(partition.Records.Memory).Count));
    }

    [Fact]
    public async Task A_batch_too_long_to_convert_is_told_and_reported_and_newer_clients_have_it()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Batch(CompressionCodec.Gzip, new string('x', 20 << 20), "y"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Batch(CompressionCodec.Gzip, new string('x', 33 << 20)))).ErrorCode);
        Assert.Equal([0L, 1L], OldMessages.Read((await FetchAsync(client, "t", 0, 2)).Records.Memory).Select(static message => message.Offset));
        Assert.Equal(ErrorCode.MessageTooLarge, (await FetchAsync(client, "t", 2, 2)).ErrorCode);
        Assert.Equal(1, broker.Log.Count("t-0 at offset 2 could not be converted"));
        Assert.Equal(ErrorCode.None, (await FetchAsync(client, "t", 2, 4)).ErrorCode);
    }

    [Fact]
    public async Task A_batch_that_the_disk_has_damaged_is_never_converted()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(1, size: 100));
        PartitionLog log = broker.Core.Topics.Find("t")!.Partitions[0].Log!;
        using (LogPipeline.Files.IFile file = broker.Files.Open($"/data/t-0/{0:D20}.log", LogPipeline.Files.FileOpenMode.ReadWrite))
        {
            file.Write([0x55], 100);
        }
        Assert.Equal(ErrorCode.CorruptMessage, (await FetchAsync(client, "t", 0, 2)).ErrorCode);
        Assert.Equal(1, log.LogEndOffset);
    }

    private static async Task<Answer> FetchAsync(TestClient client, string topic, long offset, short version, int bytesMax = 1 << 20)
    {
        FetchRequest request = Ask.Fetch(topic, offset);
        request.Topics[0].Partitions[0].PartitionMaxBytes = bytesMax;
        return (await client.FetchAsync(request, version)).Responses[0].Partitions[0];
    }

    private static async Task AppendControlAsync(TestBroker broker, string topic)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        builder.TryAppend(OldMessages.Time, hasKey: true, [0, 0, 0, 1], hasValue: true, [0, 0, 0, 0, 0, 0], 0, default);
        LogPipeline.Broker.Partitions.Partition partition = broker.Core.Topics.Find(topic)!.Partitions[0];
        AppendResult result = partition.Append(builder.Build(7, 3, -1, extraAttributes: 0x30), AppendOrigin.Broker);
        await partition.CommittedAsync(result.LastOffset + 1);
    }

    private static byte[] Batch(CompressionCodec codec, params string[] values)
    {
        using var builder = new RecordBatchBuilder(codec, 64 << 20);
        for (int i = 0; i < values.Length; i++)
        {
            builder.TryAppend(OldMessages.Time + i, hasKey: true, "k"u8, hasValue: true, Encoding.Latin1.GetBytes(values[i]), 1, [2, (byte)'h', 2, (byte)'v']);
        }
        return builder.Build().ToArray();
    }
}
