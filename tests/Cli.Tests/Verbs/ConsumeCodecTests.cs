using System.Text;
using LogPipeline.Broker;
using LogPipeline.Cli.Printing;
using LogPipeline.Cli.Verbs;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Cli.Tests.Verbs;

public sealed class ConsumeCodecTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-consume-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public async Task Consume_prints_batches_of_every_codec(CompressionCodec codec)
    {
        await using LogPipeline.Broker.Broker broker = await LogPipeline.Broker.Broker.StartAsync(new BrokerOptions { DataDirectory = _directory, Listen = "127.0.0.1:0" });
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = [broker.Endpoint.ToString()] }, new TcpConnector(), TimeProvider.System, new Random(1));
        string[] lines = [.. Enumerable.Range(0, 50).Select(static n => $"line {n} of the same words again and again")];
        await using (var producer = new Producer(new ProducerOptions { Compression = codec }, cluster, TimeProvider.System, new Random(2)))
        {
            await producer.SendAsync(Record(lines[0]), default); // only once the producer knows the partition do sends keep their order
            await Task.WhenAll(lines.Skip(1).Select(line => producer.SendAsync(Record(line), default)));
        }
        await using var consumer = new Consumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest }, cluster, TimeProvider.System, new Random(3));
        consumer.Assign([new TopicPartition("t", 0)]);
        using var printed = new MemoryStream();
        await ConsumeVerb.PrintAsync(consumer, new RecordOutput(printed, RecordForm.Bytes), [], limit: lines.Length, default);
        Assert.Equal(lines, Encoding.UTF8.GetString(printed.ToArray()).TrimEnd('\n').Split('\n'));
    }

    private static ProducerRecord Record(string line) => new() { Topic = "t", Partition = 0, Value = Encoding.UTF8.GetBytes(line) };
}
