using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class RefusedProduceTests : IDisposable
{
    private readonly string _run = Guid.NewGuid().ToString("N"); // other tests of this process are refused too
    private readonly ConcurrentDictionary<(string Reason, string Client), long> _counts = new();
    private readonly MeterListener _listener = new();

    public RefusedProduceTests()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "logpipe_broker_produce_refused_total")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            Dictionary<string, string> labels = tags.ToArray().ToDictionary(static tag => tag.Key, static tag => (string)tag.Value!);
            _counts.AddOrUpdate((labels["reason"], labels["client"]), count, (_, before) => before + count);
        });
        _listener.Start();
    }

    [Fact]
    public async Task What_producers_are_refused_counts_by_reason_and_client()
    {
        await using var broker = new TestBroker();
        TestClient good = broker.Connect(clientId: $"good-{_run}");
        TestClient bad = broker.Connect(clientId: $"bad-{_run}");
        await good.CreatedAsync("t");
        await good.ProduceAsync("t", Ask.Batch(1));
        await bad.ProduceAsync("nowhere", Ask.Batch(1));
        byte[] damaged = Ask.Batch(1);
        damaged[^1] ^= 1;
        await bad.ProduceAsync("t", damaged);
        await bad.ProduceAsync("t", [.. damaged]);
        bad.Post<ProduceRequest, ProduceResponse>(Ask.Produce("nowhere", Ask.Batch(1), acks: 0), 9);
        await bad.ClosedAsync();
        Assert.Equal(
            [("CorruptMessage", 2), ("UnknownTopicOrPartition", 2)],
            _counts.Where(count => count.Key.Client == $"bad-{_run}").Select(count => (count.Key.Reason, count.Value)).Order());
        Assert.DoesNotContain(_counts.Keys, key => key.Client == $"good-{_run}");
    }

    [Fact]
    public void Only_so_many_clients_are_told_apart()
    {
        var labels = new ClientLabels();
        Assert.Equal(ClientLabels.Others, labels.Of(new string('x', 101)));
        Assert.All(Enumerable.Range(0, ClientLabels.ClientsMax), number => Assert.Equal($"c{number}", labels.Of($"c{number}")));
        Assert.Equal(ClientLabels.Others, labels.Of("one more"));
        Assert.Equal("c7", labels.Of("c7"));
    }

    public void Dispose() => _listener.Dispose();
}
