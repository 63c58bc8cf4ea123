using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Tutorials;

/// <summary>The broker started and stopped as tutorials and container images do it.</summary>
public sealed class ServerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public ServerTests() => Directory.CreateSymbolicLink(_workspace.File("bin"), Path.Combine(Programs.Root, "deploy", "bin"));

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Old_tutorial_starts_ZooKeeper_then_the_broker_and_stops_it()
    {
        // The file that came with Kafka 2 and 3, less its remarks.
        await File.WriteAllTextAsync(_workspace.File("server.properties"), """
            broker.id=0
            num.network.threads=3
            num.io.threads=8
            socket.send.buffer.bytes=102400
            socket.receive.buffer.bytes=102400
            socket.request.max.bytes=104857600
            log.dirs=/nowhere
            num.partitions=1
            num.recovery.threads.per.data.dir=1
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            log.retention.hours=168
            log.retention.check.interval.ms=300000
            zookeeper.connect=localhost:2181
            zookeeper.connection.timeout.ms=18000
            group.initial.rebalance.delay.ms=0
            """);
        Assert.StartsWith("No ZooKeeper is needed", await DoneAsync("bin/zookeeper-server-start.sh -daemon config/zookeeper.properties"), StringComparison.Ordinal);
        await using RealProcess broker = Start($"bin/kafka-server-start.sh server.properties --override listeners=PLAINTEXT://{_bootstrap} --override log.dirs=data --override num.partitions=2");
        await broker.LineAsync(static line => line.Contains("Kafka Server started", StringComparison.Ordinal), Patience);
        Assert.Contains("WARN zookeeper.connect, zookeeper.connection.timeout.ms: ignored", broker.Errors, StringComparison.Ordinal);
        await DoneAsync($"bin/kafka-topics.sh --create --topic made --bootstrap-server {_bootstrap}");
        Assert.Contains("PartitionCount: 2", await DoneAsync($"bin/kafka-topics.sh --describe --topic made --bootstrap-server {_bootstrap}"), StringComparison.Ordinal);
        Assert.Contains("Leader: 0", await DoneAsync($"bin/kafka-topics.sh --describe --topic made --bootstrap-server {_bootstrap}"), StringComparison.Ordinal);
        await DoneAsync($"bin/kafka-server-stop.sh listeners=PLAINTEXT://{_bootstrap}");
        Assert.Equal(0, await broker.ExitAsync(Patience));
        (int status, string output, string _) = await RunAsync($"bin/kafka-server-stop.sh listeners=PLAINTEXT://{_bootstrap}");
        Assert.Equal((1, "No kafka server to stop\n"), (status, output));
        Assert.Equal("No zookeeper server to stop\n", await DoneAsync("bin/zookeeper-server-stop.sh"));
    }

    [Fact]
    public async Task Quick_start_formats_the_storage_and_runs_in_the_background()
    {
        string port = _bootstrap.Split(':')[1];
        await File.WriteAllTextAsync(_workspace.File("server.properties"), $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.bootstrap.servers=localhost:9093
            listeners=PLAINTEXT://:{port},CONTROLLER://:9093
            inter.broker.listener.name=PLAINTEXT
            advertised.listeners=PLAINTEXT://localhost:{port},CONTROLLER://localhost:9093
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
            log.dirs=kraft-combined-logs
            share.coordinator.state.topic.replication.factor=1
            log.segment.bytes=1073741824
            """);
        string id = (await DoneAsync("bin/kafka-storage.sh random-uuid")).Trim();
        Assert.Matches("^[A-Za-z0-9_][A-Za-z0-9_-]{21}$", id);
        await DoneAsync($"bin/kafka-storage.sh format --standalone -t {id} -c server.properties");
        Assert.Contains("already formatted", (await RunAsync($"bin/kafka-storage.sh format -t {id} -c server.properties")).Errors, StringComparison.Ordinal);
        await DoneAsync("bin/kafka-server-start.sh -daemon server.properties --log-level warning --override listeners=PLAINTEXT://127.0.0.1:" + port + " --override advertised.listeners=PLAINTEXT://" + _bootstrap + " --override controller.listener.names=");
        try
        {
            await Deadline.UntilAsync(
                Patience, async () => (await RunAsync("grep -c 'Kafka Server started' logs/kafkaServer.out")).Status == 0, () => File.ReadAllText(_workspace.File("logs/kafkaServer.out")));
            await DoneAsync($"bin/kafka-topics.sh --create --topic quick --bootstrap-server {_bootstrap}");
            Assert.Contains($"cluster.id={id}", await File.ReadAllTextAsync(_workspace.File("kraft-combined-logs/meta.properties")), StringComparison.Ordinal);
        }
        finally
        {
            await DoneAsync($"bin/kafka-server-stop.sh advertised.listeners=PLAINTEXT://{_bootstrap}");
        }
        await Deadline.UntilAsync(Patience, async () => (await RunAsync($"bin/kafka-server-stop.sh advertised.listeners=PLAINTEXT://{_bootstrap}")).Status == 1, () => "the broker runs on");
    }

    [Fact]
    public async Task Container_image_configures_it_by_the_environment_alone()
    {
        string variables = $"KAFKA_LISTENERS=PLAINTEXT://{_bootstrap} KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{_bootstrap} KAFKA_LOG_DIRS=data KAFKA_BROKER_ID=5 "
            + "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181 KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1 KAFKA_PORT_9092_TCP=tcp://10.0.0.1:9092 CLUSTER_ID=MkU3OEVBNTcwNTJENDM2Qg";
        await using RealProcess broker = Start($"{variables} exec bin/kafka-server-start");
        await broker.LineAsync(static line => line.Contains("Kafka Server started", StringComparison.Ordinal), Patience);
        Assert.Contains("WARN KAFKA_PORT_9092_TCP: ignored", broker.Errors, StringComparison.Ordinal);
        Assert.Contains("WARN zookeeper.connect: ignored", broker.Errors, StringComparison.Ordinal);
        Assert.Contains("cluster.id=MkU3OEVBNTcwNTJENDM2Qg", await File.ReadAllTextAsync(_workspace.File("data/meta.properties")), StringComparison.Ordinal);
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Theory]
    [InlineData("num.partitons=3", "Unknown setting num.partitons; did you mean num.partitions?")]
    [InlineData("num.partitions=three", "Invalid value three for configuration num.partitions: Not a number of type INT")]
    [InlineData("listeners=SSL://:9093", "wants SSL, which is not there yet")]
    public async Task Wrong_setting_refuses_the_start(string setting, string message)
    {
        (int status, string _, string errors) = await RunAsync($"bin/kafka-server-start.sh /dev/null --override log.dirs=data --override {setting}");
        Assert.Equal(1, status);
        Assert.Contains(message, errors, StringComparison.Ordinal);
    }

    private RealProcess Start(string command) => RealProcess.Start("/bin/bash", _workspace.Folder, ["-c", command], [KeyValuePair.Create("LOGPIPE", Programs.Logpipe)]);

    private async Task<string> DoneAsync(string command)
    {
        (int status, string output, string errors) = await RunAsync(command);
        Assert.True(status == 0, $"{command} gave {status}: {output}{errors}");
        return output;
    }

    private async Task<(int Status, string Output, string Errors)> RunAsync(string command)
    {
        await using RealProcess shell = Start(command);
        int status = await shell.ExitAsync(Patience);
        return (status, string.Concat(shell.Output.Select(static line => line + "\n")), shell.Errors);
    }
}
