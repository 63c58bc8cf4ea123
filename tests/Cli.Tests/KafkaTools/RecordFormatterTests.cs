using System.Text;
using LogPipeline.Cli.KafkaTools;
using LogPipeline.Client;
using LogPipeline.Client.Consuming;

namespace LogPipeline.Cli.Tests.KafkaTools;

public class RecordFormatterTests
{
    private static readonly ConsumedRecord Record = new()
    {
        Partition = new TopicPartition("t", 2),
        Offset = 7,
        Timestamp = 1_767_225_600_000,
        LeaderEpoch = 3,
        Key = new byte[] { 0, 5 },
        Value = Encoding.UTF8.GetBytes("v"),
    };

    [Fact]
    public async Task A_timestamp_says_whose_it_is()
    {
        Assert.Equal("CreateTime:1767225600000\tv\n", await PrintedAsync(Record, "print.timestamp"));
        Assert.Equal("LogAppendTime:1767225600000\tv\n", await PrintedAsync(Record with { HasAppendTime = true }, "print.timestamp"));
        Assert.Equal("CreateTime:-1\tv\n", await PrintedAsync(Record with { Timestamp = -1 }, "print.timestamp"));
    }

    [Fact]
    public async Task Columns_stand_in_Kafkas_order()
        => Assert.Equal("Partition:2\tOffset:7\tEpoch:3\tNO_HEADERS\t\0\u0005\tv\n", await PrintedAsync(Record, "print.key", "print.headers", "print.epoch", "print.offset", "print.partition"));

    [Fact]
    public async Task Nothing_is_printed_of_a_record_without_columns()
        => Assert.Empty(await PrintedAsync(Record, new Dictionary<string, string> { ["print.value"] = "false" }));

    [Fact]
    public async Task Numbers_are_printed_as_such_and_what_is_none_is_told()
    {
        Dictionary<string, string> properties = new() { ["print.key"] = "true", ["key.deserializer"] = "org.apache.kafka.common.serialization.ShortDeserializer" };
        Assert.Equal("5\tv\n", await PrintedAsync(Record, properties));
        properties["key.deserializer"] = "org.apache.kafka.common.serialization.LongDeserializer";
        Assert.Equal("Size of a key is not 8, which its deserializer wants: 2", new RecordFormatter(Stream.Null, properties).Problem(Record));
    }

    private static Task<string> PrintedAsync(ConsumedRecord record, params string[] flags) => PrintedAsync(record, flags.ToDictionary(static flag => flag, static _ => "true"));

    private static async Task<string> PrintedAsync(ConsumedRecord record, Dictionary<string, string> properties)
    {
        using var to = new MemoryStream();
        var formatter = new RecordFormatter(to, properties);
        Assert.Null(formatter.Problem(record));
        formatter.Write(record);
        await formatter.FlushAsync();
        return Encoding.UTF8.GetString(to.ToArray());
    }
}
