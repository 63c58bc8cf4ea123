using System.Text;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Consuming;

/// <summary>A partition that a broker will not let us read, beside one that it does.</summary>
public sealed class RefusedPartitionTests
{
    private readonly ManualTime _time = new();
    private readonly ScriptedBroker _broker = new();
    private bool _isRefused = true;

    public RefusedPartitionTests()
    {
        _broker.Lead("t", partitions: 2);
        _broker.OnAsync<FetchRequest, FetchResponse>(FetchAsync, newest: 12);
    }

    [Fact]
    public void A_refused_partition_is_told_by_a_poll_holds_up_no_other_and_is_read_when_it_may_be() => OneThread.Run(_time, async () =>
    {
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions(), cluster, _time, new Random(2));
        consumer.Assign([new TopicPartition("t", 0), new TopicPartition("t", 1)]);
        consumer.Seek(new TopicPartition("t", 0), 0);
        consumer.Seek(new TopicPartition("t", 1), 0);
        Assert.Equal("line of 1", await PollAsync(consumer));
        for (int poll = 0; poll < 2; poll++)
        {
            var refused = await Assert.ThrowsAsync<BrokerErrorException>(() => PollAsync(consumer));
            Assert.Equal(ErrorCode.TopicAuthorizationFailed, refused.Code);
        }
        _isRefused = false;
        Assert.Equal("line of 0", await PollAsync(consumer));
    });

    private static async Task<string> PollAsync(Consumer consumer) =>
        Encoding.UTF8.GetString(Assert.Single(await consumer.PollAsync(CancellationToken.None)).Value!.Value.Span);

    private async Task<FetchResponse?> FetchAsync(FetchRequest request)
    {
        var answers = new List<FetchResponse.Response.Partition>();
        foreach (var asked in request.Topics[0].Partitions)
        {
            var answer = new FetchResponse.Response.Partition { PartitionIndex = asked.Index, HighWatermark = 1, LogStartOffset = 0 };
            answer.ErrorCode = asked.Index == 0 && _isRefused ? ErrorCode.TopicAuthorizationFailed : ErrorCode.None;
            if (answer.ErrorCode == ErrorCode.None && asked.FetchOffset == 0)
            {
                answer.Records = new RecordSet(Batch($"line of {asked.Index}"));
            }
            answers.Add(answer);
        }
        if (answers.TrueForAll(answer => answer is { ErrorCode: ErrorCode.None, Records.Length: 0 }))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(request.MaxWaitMs), _time);
        }
        return new FetchResponse { Responses = [new() { Topic = "t", Partitions = answers }] };
    }

    private static byte[] Batch(string line)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1024);
        builder.TryAppend(1, Encoding.UTF8.GetBytes(line));
        return builder.Build().ToArray();
    }
}
