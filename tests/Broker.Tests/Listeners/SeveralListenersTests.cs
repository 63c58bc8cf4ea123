using System.Net;
using System.Net.Sockets;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Network;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol.Messages;
using LogPipeline.Testing.Network;

namespace LogPipeline.Broker.Tests.Listeners;

public sealed class SeveralListenersTests
{
    private static readonly (string, string)[] Two =
    [
        ("listeners", "INTERNAL://127.0.0.1:0,EXTERNAL://127.0.0.1:0"),
        ("listener.security.protocol.map", "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT"),
        ("advertised.listeners", "EXTERNAL://logs.example:443"),
    ];

    [Fact]
    public async Task A_client_is_told_the_address_of_the_listener_that_it_came_in_on()
    {
        await using var broker = new TestBroker(Two);
        foreach ((Listener listener, string host, int port) in new[] { (broker.Core.Listeners[0], "192.0.2.7", 19092), (broker.Core.Listeners[1], "logs.example", 443) })
        {
            TestClient Client() => new(broker.Core, broker.Time, listener: listener);
            MetadataResponse metadata = await Client().SendAsync<MetadataRequest, MetadataResponse>(new() { Topics = [] });
            Assert.Equal((host, port), (metadata.Brokers[0].Host, metadata.Brokers[0].Port));
            FindCoordinatorResponse coordinator = await Client().SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { CoordinatorKeys = ["g"] });
            Assert.Equal((host, port), (coordinator.Coordinators[0].Host, coordinator.Coordinators[0].Port));
            DescribeClusterResponse cluster = await Client().SendAsync<DescribeClusterRequest, DescribeClusterResponse>(new());
            Assert.Equal((host, port), (cluster.Brokers[0].Host, cluster.Brokers[0].Port));
        }
    }

    [Fact]
    public async Task All_listeners_are_served()
    {
        await using var broker = new TestBroker(Two);
        await using var server = new SocketServer(broker.Core, Acceptor.BindAll(broker.Core.Listeners, broker.Time, broker.Log), broker.Time, e => Assert.Fail(e.ToString()));
        server.Start();
        Assert.Equal(2, server.Endpoints.Select(entry => entry.Endpoint.Port).Distinct().Count());
        foreach ((_, IPEndPoint endpoint) in server.Endpoints)
        {
            using Socket client = await ConnectAsync(endpoint);
            await client.SendAsync(Convert.FromHexString("0000000b" + "0012" + "0000" + "00000005" + "0001" + "63"));
            Assert.NotEqual(0, await client.ReceiveAsync(new byte[1000]));
        }
    }

    [Fact]
    public async Task When_one_listener_cannot_be_had_none_is_served()
    {
        await using var first = new TestBroker(Two);
        await using var server = new SocketServer(
            first.Core, Acceptor.BindAll(first.Core.Listeners, first.Time, first.Log), first.Time, e => Assert.Fail(e.ToString()));
        server.Start();
        int free = Ports.Free();
        await using var second = new TestBroker(
            ("listeners", $"A://127.0.0.1:{free},B://{server.Endpoints[0].Endpoint}"), ("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT"));
        BrokerStartException e = Assert.Throws<BrokerStartException>(() => Acceptor.BindAll(second.Core.Listeners, second.Time, second.Log));
        Assert.Contains("is in use by another process", e.Message, StringComparison.Ordinal);
        Assert.Contains("the listener B", e.Message, StringComparison.Ordinal);
        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(new IPEndPoint(IPAddress.Loopback, free)));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint endpoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint);
        return socket;
    }
}
