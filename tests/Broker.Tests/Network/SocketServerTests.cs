using System.Net.Sockets;
using LogPipeline.Broker.Network;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Tests.Network;

/// <summary>Connections over TCP: who is held, and for how long.</summary>
public sealed class SocketServerTests : IAsyncDisposable
{
    private readonly TestBroker _broker = new(("listeners", "127.0.0.1:0"));
    private readonly SocketServer _server;

    public SocketServerTests()
    {
        _server = new SocketServer(_broker.Core, Acceptor.BindAll(_broker.Core.Listeners, _broker.Time, _broker.Log), _broker.Time, e => Assert.Fail(e.ToString()));
        _server.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task A_client_that_never_reads_its_answers_is_closed_after_the_idle_time()
    {
        TestClient producer = _broker.Connect();
        await producer.CreatedAsync("t");
        for (int i = 0; i < 48; i++)
        {
            await producer.ProduceAsync("t", Ask.Batch(1, size: 1_000_000));
        }
        using Socket client = await ConnectAsync();
        FetchRequest all = Ask.Fetch("t", 0);
        all.Topics[0].Partitions[0].PartitionMaxBytes = 56_000_000;
        await client.SendAsync(Frame<FetchRequest, FetchResponse>(all, 11));
        await client.ReceiveAsync(new byte[4]); // the answer is on its way, and larger than all buffers between
        await UntilIdleIsClosedAsync();
    }

    [Fact]
    public async Task A_client_that_stops_within_a_frame_is_closed_after_the_idle_time()
    {
        using Socket client = await ConnectAsync();
        await client.SendAsync(new byte[] { 0, 0, 1, 0, 0 });
        await UntilIdleIsClosedAsync();
    }

    [Fact]
    public async Task A_client_that_says_nothing_while_its_join_is_parked_is_closed_after_the_idle_time()
    {
        using Socket client = await ConnectAsync();
        await client.SendAsync(Frame<JoinGroupRequest, JoinGroupResponse>(AskGroups.Join(), 3));
        await _broker.Time.UntilDueInAsync(AskGroups.InitialDelay);
        await UntilIdleIsClosedAsync();
    }

    [Fact]
    public async Task A_client_that_asks_now_and_then_is_not_closed()
    {
        using Socket client = await ConnectAsync();
        byte[] answer = new byte[1000];
        for (int i = 0; i < 12; i++)
        {
            _broker.Time.Advance(_broker.Core.Settings.ConnectionIdleMax / 3);
            await client.SendAsync(Frame<ListGroupsRequest, ListGroupsResponse>(new(), 0));
            Assert.NotEqual(0, await client.ReceiveAsync(answer));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_while_its_request_is_parked_is_let_go_at_once(bool joins)
    {
        await _broker.Connect().CreatedAsync("t");
        using (Socket client = await ConnectAsync())
        {
            await client.SendAsync(joins
                ? Frame<JoinGroupRequest, JoinGroupResponse>(AskGroups.Join(), 3)
                : Frame<FetchRequest, FetchResponse>(Ask.Fetch("t", 0, maxWaitMs: int.MaxValue), 11));
            await _broker.Time.UntilDueInAsync(joins ? AskGroups.InitialDelay : TimeSpan.FromMilliseconds(int.MaxValue));
        }
        await UntilAsync(() => _server.ConnectionCount == 0);
    }

    [Fact]
    public async Task Hundreds_of_idle_connections_leave_room_for_one_that_works()
    {
        var idle = new List<Socket>();
        for (int i = 0; i < 300; i++)
        {
            idle.Add(await ConnectAsync());
            await idle[^1].SendAsync(new byte[] { 0, 0, 0 }); // within a frame's size, as a slow client is
        }
        await UntilAsync(() => _server.ConnectionCount == idle.Count);
        using Socket client = await ConnectAsync();
        await client.SendAsync(Frame<ListGroupsRequest, ListGroupsResponse>(new(), 0));
        Assert.NotEqual(0, await client.ReceiveAsync(new byte[100]));
        idle.ForEach(socket => socket.Dispose());
        await UntilAsync(() => _server.ConnectionCount == 1);
    }

    [Fact]
    public async Task Accepting_goes_on_after_the_system_had_no_handle_and_tells_it_once()
    {
        await using var acceptor = new Acceptor(_broker.Core.Listeners[0], _broker.Time, _broker.Log);
        const int Refusals = 3;
        int refused = 0;
        var served = new TaskCompletionSource();
        acceptor.Listen();
        acceptor.Start(Serve, e => served.SetException(e));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(acceptor.Endpoint);
        for (int i = 0; i < Refusals; i++)
        {
            await _broker.Time.UntilDueInAsync(Acceptor.Pause);
            _broker.Time.Advance(Acceptor.Pause);
            using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await next.ConnectAsync(acceptor.Endpoint);
        }
        await served.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, _broker.Log.Count("Accepting connections"));

        void Serve(Socket socket)
        {
            socket.Dispose();
            if (refused++ < Refusals)
            {
                throw new SocketException((int)SocketError.TooManyOpenSockets);
            }
            served.TrySetResult();
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(100_000, false)]
    public async Task The_last_handles_are_not_for_connections(long limit, bool isReserved)
    {
        using Socket client = await ConnectAsync();
        Assert.Equal(isReserved, new HandleReserve(limit).IsTouchedBy(client));
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_server.Endpoints[0].Endpoint);
        return socket;
    }

    /// <summary>Lets the idle time pass until no connection is left.</summary>
    private async Task UntilIdleIsClosedAsync()
    {
        await UntilAsync(() => _server.ConnectionCount == 1);
        await UntilAsync(() =>
        {
            _broker.Time.Advance(_broker.Core.Settings.ConnectionIdleMax / 4);
            return _server.ConnectionCount == 0;
        });
        Assert.Equal(0, _broker.Log.Count(" failed"));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static byte[] Frame<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        using FrameBuffer frame = Frames.Request<TRequest, TResponse>(request, version, 7, "test");
        return frame.Bytes.ToArray();
    }
}
