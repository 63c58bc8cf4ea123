using System.Net;
using System.Net.Sockets;
using System.Text;
using LogPipeline.Broker.Settings;

namespace LogPipeline.Broker.Tests.Settings;

public sealed class BrokerStartTests
{
    [Fact]
    public void An_unknown_setting_stops_the_start_and_names_the_nearest()
    {
        BrokerStartException e = Assert.Throws<BrokerStartException>(() => Of("num.partition", "2"));
        Assert.Equal("Unknown broker setting num.partition; did you mean num.partitions?", e.Message);
    }

    [Theory]
    [InlineData("num.partitions", "many")]
    [InlineData("num.partitions", "0")]
    [InlineData("log.flush", "never")]
    [InlineData("auto.create.topics.enable", "yes")]
    public void A_value_that_is_none_stops_the_start(string name, string value) =>
        Assert.Contains($"Invalid value {value} for configuration {name}", Assert.Throws<BrokerStartException>(() => Of(name, value)).Message, StringComparison.Ordinal);

    [Fact]
    public void Times_may_be_said_in_several_units()
    {
        Assert.Equal("7200000", Of("log.retention.hours", "2").Value("log.retention.ms"));
        Assert.Equal("604800000", Of("num.partitions", "1").Value("log.roll.ms"));
    }

    [Fact]
    public async Task A_port_in_use_and_a_locked_directory_are_one_clear_line_each()
    {
        using var home = new TemporaryDirectory();
        await using Broker broker = await Broker.StartAsync(new BrokerOptions { DataDirectory = home.At("a"), Listen = "127.0.0.1:0" });
        BrokerStartException port = await Assert.ThrowsAsync<BrokerStartException>(
            () => Broker.StartAsync(new BrokerOptions { DataDirectory = home.At("b"), Listen = broker.Endpoint.ToString() }));
        Assert.Contains("is in use", port.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(home.At("b"))); // the data directory was not even touched
        BrokerStartException locked = await Assert.ThrowsAsync<BrokerStartException>(
            () => Broker.StartAsync(new BrokerOptions { DataDirectory = home.At("a"), Listen = "127.0.0.1:0" }));
        Assert.Contains("is locked by", locked.Message, StringComparison.Ordinal);
        await using Broker after = await Broker.StartAsync(new BrokerOptions { DataDirectory = home.At("b"), Listen = "127.0.0.1:0" });
        Assert.NotEqual(broker.ClusterId, after.ClusterId);
    }

    [Fact]
    public async Task A_socket_that_says_HTTP_is_closed_and_the_next_one_is_served()
    {
        using var home = new TemporaryDirectory();
        await using Broker broker = await Broker.StartAsync(new BrokerOptions { DataDirectory = home.At("a"), Listen = "127.0.0.1:0" });
        using (Socket http = await ConnectAsync(broker.Endpoint))
        {
            await http.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"));
            Assert.Equal(0, await http.ReceiveAsync(new byte[16]));
        }
        using Socket client = await ConnectAsync(broker.Endpoint);
        await client.SendAsync(Convert.FromHexString("0000000b" + "0012" + "0000" + "00000005" + "0001" + "63"));
        Assert.True(await client.ReceiveAsync(new byte[4096]) > 100);
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_closed()
    {
        using var home = new TemporaryDirectory();
        await using Broker broker = await Broker.StartAsync(new BrokerOptions
        {
            DataDirectory = home.At("a"),
            Listen = "127.0.0.1:0",
            Settings = new Dictionary<string, string> { ["max.connections"] = "1" },
        });
        using Socket first = await ConnectAsync(broker.Endpoint);
        await first.SendAsync(Convert.FromHexString("0000000b" + "0012" + "0000" + "00000005" + "0001" + "63"));
        Assert.True(await first.ReceiveAsync(new byte[4096]) > 100);
        using Socket second = await ConnectAsync(broker.Endpoint);
        Assert.Equal(0, await second.ReceiveAsync(new byte[16]));
    }

    private static BrokerSettings Of(string name, string value) => new(new Dictionary<string, string> { [name] = value });

    private static async Task<Socket> ConnectAsync(IPEndPoint endpoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint);
        return socket;
    }

    private sealed class TemporaryDirectory : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("logpipe-broker-").FullName;

        public string At(string name) => Path.Combine(_path, name);

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}
