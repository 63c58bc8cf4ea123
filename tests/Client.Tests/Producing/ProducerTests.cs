using System.Text;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Producing;

public sealed class ProducerTests
{
    private static readonly ClientOptions Quick = new()
    {
        Bootstrap = ["b:1"],
        RetryDelay = TimeSpan.FromMilliseconds(1),
        RetryDelayMax = TimeSpan.FromMilliseconds(4),
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Every_record_is_stored_once_and_in_order_whatever_fails(int firstSeed)
    {
        int cuts = 0;
        for (int seed = firstSeed * 1000; seed < firstSeed * 1000 + 20; seed++)
        {
            var broker = new FaultyPartition(seed, faults: 15);
            await using var cluster = new ClusterClient(Quick, broker, TimeProvider.System, new Random(seed));
            var producer = new Producer(
                new ProducerOptions { BatchBytes = 300, Linger = TimeSpan.Zero, BufferBytes = 6000 }, cluster, TimeProvider.System, new Random(seed));
            List<Task<DeliveryResult>> sent = [];
            for (int i = 0; i < 200; i++)
            {
                var delivered = new TaskCompletionSource<DeliveryResult>(TaskCreationOptions.RunContinuationsAsynchronously);
                await producer.PostAsync(Record($"{i}"), Resolve(delivered), CancellationToken.None);
                sent.Add(delivered.Task);
            }
            await producer.DisposeAsync();
            DeliveryResult[] results = await Task.WhenAll(sent);
            Assert.True(Enumerable.Range(0, 200).Select(i => $"{i}").SequenceEqual(broker.Log), $"seed {seed}: {string.Join(' ', broker.Log)}");
            Assert.All(results.Select((r, i) => (r.Offset, i)), r => Assert.True(r.Offset == r.i || r.Offset == -1));
            cuts += broker.Cuts;
        }
        Assert.True(cuts > 0);
    }

    [Fact]
    public async Task Without_idempotence_order_holds_and_nothing_is_lost()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var broker = new FaultyPartition(seed, faults: 10, isIdempotent: false);
            await using var cluster = new ClusterClient(Quick, broker, TimeProvider.System, new Random(seed));
            await using (var producer = new Producer(
                new ProducerOptions { Idempotent = false, BatchBytes = 300, Linger = TimeSpan.Zero, InFlightMax = 1 }, cluster, TimeProvider.System, new Random(seed)))
            {
                for (int i = 0; i < 100; i++)
                {
                    await producer.PostAsync(Record($"{i}"), null, CancellationToken.None);
                }
            }
            Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), broker.Log.Distinct());
        }
    }

    [Fact]
    public async Task A_record_that_nobody_acknowledges_fails_when_its_time_is_up()
    {
        var time = new ManualTime();
        var broker = new FaultyPartition(1, faults: 0);
        broker.On<ProduceRequest, ProduceResponse>(_ => null, newest: 9);
        await using var cluster = new ClusterClient(Quick, broker, time, new Random(1));
        var producer = new Producer(new ProducerOptions { DeliveryTimeout = TimeSpan.FromSeconds(20) }, cluster, time, new Random(1));
        DateTimeOffset begin = time.GetUtcNow();
        await Assert.ThrowsAsync<DeliveryTimeoutException>(() => time.RunAsync(producer.SendAsync(Record("x"), CancellationToken.None), TimeSpan.FromMilliseconds(50)));
        Assert.InRange((time.GetUtcNow() - begin).TotalSeconds, 19, 25);
        await producer.DisposeAsync();
    }

    [Fact]
    public async Task A_refused_record_fails_alone_and_the_next_ones_go_on()
    {
        var broker = new FaultyPartition(1, faults: 0);
        await using var cluster = new ClusterClient(Quick, broker, TimeProvider.System, new Random(1));
        await using var producer = new Producer(new ProducerOptions { Linger = TimeSpan.Zero }, cluster, TimeProvider.System, new Random(1));
        await producer.SendAsync(Record("a"), CancellationToken.None);
        broker.RefuseNext = ErrorCode.InvalidRecord;
        BrokerErrorException refused = await Assert.ThrowsAsync<BrokerErrorException>(() => producer.SendAsync(Record("b"), CancellationToken.None));
        Assert.Equal(ErrorCode.InvalidRecord, refused.Code);
        Assert.Equal(1, (await producer.SendAsync(Record("c"), CancellationToken.None)).Offset);
        Assert.Equal(["a", "c"], broker.Log);
    }

    [Fact]
    public async Task Nobody_answering_is_said_with_the_place_and_the_reason()
    {
        var time = new ManualTime();
        var broker = new ScriptedBroker { Refusal = new IOException("Connection refused") };
        await using var cluster = new ClusterClient(Quick, broker, time, new Random(1));
        BrokerUnreachableException e = await Assert.ThrowsAsync<BrokerUnreachableException>(
            () => time.RunAsync(cluster.AnyAsync(CancellationToken.None).AsTask(), TimeSpan.FromSeconds(1)));
        Assert.Equal("no broker answered at b:1: Connection refused", e.Message);
    }

    [Fact]
    public async Task An_overdue_answer_breaks_the_connection_for_all_that_wait()
    {
        var time = new ManualTime();
        var broker = new ScriptedBroker();
        broker.OnAsync<MetadataRequest, MetadataResponse>(_ => new TaskCompletionSource<MetadataResponse?>().Task);
        BrokerConnection connection = await Client.Connections.BrokerConnection.OpenAsync(new BrokerEndpoint("b", 1), Quick, broker, time, CancellationToken.None);
        Task<MetadataResponse> first = connection.SendAsync<MetadataRequest, MetadataResponse>(new MetadataRequest(), CancellationToken.None);
        Task<MetadataResponse> second = connection.SendAsync<MetadataRequest, MetadataResponse>(new MetadataRequest(), CancellationToken.None);
        time.Advance(Quick.RequestTimeout - TimeSpan.FromSeconds(1));
        Assert.False(connection.IsBroken);
        time.Advance(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<BrokerConnectionException>(() => first);
        await Assert.ThrowsAsync<BrokerConnectionException>(() => second);
        Assert.True(connection.IsBroken);
        await connection.DisposeAsync();
    }

    private static Action<DeliveryResult, Exception?> Resolve(TaskCompletionSource<DeliveryResult> source) => (result, failure) =>
    {
        if (failure is null)
        {
            source.SetResult(result);
        }
        else
        {
            source.SetException(failure);
        }
    };

    private static ProducerRecord Record(string value) => new() { Topic = "t", Value = Encoding.UTF8.GetBytes(value) };
}
