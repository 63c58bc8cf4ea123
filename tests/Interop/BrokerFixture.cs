using Confluent.Kafka;
using Confluent.Kafka.Admin;
using LogPipeline.Broker;

namespace LogPipeline.Interop;

/// <summary>One broker on a free port for the tests of a class, and a scratch directory.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    private Broker.Broker? _broker;

    public string Scratch { get; } = Directory.CreateTempSubdirectory("logpipe-interop-").FullName;

    public string Data => Path.Combine(Scratch, "data");

    public string Address => _broker!.Endpoint.ToString();

    public async Task CreateTopicAsync(string name, int partitions)
    {
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Address }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = partitions }]);
    }

    public async Task InitializeAsync() =>
        _broker = await Broker.Broker.StartAsync(new BrokerOptions { DataDirectory = Data, Listen = "127.0.0.1:0" });

    public async Task DisposeAsync()
    {
        await _broker!.DisposeAsync();
        Directory.Delete(Scratch, recursive: true);
    }
}
