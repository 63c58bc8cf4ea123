using System.Net;
using System.Net.Sockets;
using LogPipeline.Broker.Telemetry;

namespace LogPipeline.Broker.Network;

// One accept loop; each connection runs a ConnectionLoop of its own, on one of a few event loops. _lock guards _open and _accepted. Connections beyond max.connections are closed
// at once. A sweep closes connections without a request for connections.max.idle.ms.
/// <summary>Listens on a TCP address and serves the connections that come in.</summary>
internal sealed class SocketServer : IAsyncDisposable
{
    private readonly BrokerCore _core;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFatal;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<ConnectionLoop, Task> _open = [];
    private readonly ITimer _idleSweep;
    private readonly EventLoop[] _loops;
    private int _accepted;
    private Task _accepting = Task.CompletedTask;

    /// <summary>Binds; connections are taken from <see cref="Start"/> on.</summary>
    /// <exception cref="BrokerStartException">The address cannot be had.</exception>
    public SocketServer(BrokerCore core, IPEndPoint address, TimeProvider time, Action<Exception> onFatal)
    {
        _core = core;
        _time = time;
        _onFatal = onFatal;
        _listener = Bind(address);
        _loops = [.. Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 2, 16)).Select(i => new EventLoop($"broker network {i}", onFatal))];
        TimeSpan idle = core.Settings.ConnectionIdleMax;
        _idleSweep = time.CreateTimer(_ => CloseIdle(), null, idle / 4, idle / 4);
    }

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndPoint!;

    public void Start() => _accepting = AcceptAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _idleSweep.DisposeAsync();
        _listener.Dispose();
        await _accepting;
        foreach ((ConnectionLoop loop, Task running) in Snapshot())
        {
            loop.Abort();
            await running;
        }
        Array.ForEach(_loops, loop => loop.Dispose());
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                Socket socket = await _listener.AcceptAsync(_stopping.Token);
                Serve(socket);
            }
        }
        catch (Exception e) when (_stopping.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
        catch (Exception e)
        {
            _onFatal(e);
        }
    }

    private void Serve(Socket socket)
    {
        lock (_lock)
        {
            if (_open.Count >= _core.Settings.ConnectionsMax)
            {
                _core.Telemetry.ConnectionRefused();
                _core.Logger.ConnectionRefused(socket.RemoteEndPoint, _open.Count);
                socket.Dispose();
                return;
            }
            EventLoop events = _loops[(uint)_accepted++ % _loops.Length];
            var loop = new ConnectionLoop(_core, new SocketTransport(socket, events), _time);
            _open.Add(loop, RunAsync(loop));
        }
    }

    private async Task RunAsync(ConnectionLoop loop)
    {
        await Task.Yield();
        await loop.RunAsync(_stopping.Token);
        lock (_lock)
        {
            _open.Remove(loop);
        }
    }

    private void CloseIdle()
    {
        foreach ((ConnectionLoop loop, _) in Snapshot())
        {
            if (loop.IdleFor > _core.Settings.ConnectionIdleMax)
            {
                _core.Logger.IdleClosed(loop.RemoteEndPoint);
                loop.Abort();
            }
        }
    }

    private KeyValuePair<ConnectionLoop, Task>[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _open];
        }
    }

    private static Socket Bind(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = true;
            }
            socket.Bind(address);
            socket.Listen(512);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new BrokerStartException(e.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? $"{address} is in use by another process. Stop it, or choose another address with listen."
                : $"Cannot listen on {address}: {e.Message}.", e);
        }
    }
}
