using System.Net;
using System.Net.Sockets;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Telemetry;

namespace LogPipeline.Broker.Network;

// Each connection runs a ConnectionLoop of its own on one of a few event loops. Connections beyond max.connections, and those that
// would take the logs' last file handles, are closed at once. A sweep closes connections on which no byte came or went for
// connections.max.idle.ms, whatever they wait for: clients that went away without a word, never read their answers, or stopped
// within a frame. _lock guards _open, _accepted and _isRefusalTold.
/// <summary>Serves the connections that come in on the broker's listeners.</summary>
internal sealed class SocketServer : IAsyncDisposable
{
    /// <summary>Sweeps within the idle limit; a connection is closed at the first one that finds it unmoved since so many.</summary>
    private const int SweepsOfIdle = 4;

    private readonly BrokerCore _core;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFatal;
    private readonly IReadOnlyList<Acceptor> _acceptors;
    private readonly HandleReserve _reserve = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<OpenConnection, Task> _open = [];
    private readonly ITimer _idleSweep;
    private readonly EventLoop[] _loops;
    private int _accepted;
    private bool _isRefusalTold;

    /// <param name="core">Answers the requests.</param>
    /// <param name="acceptors">The addresses taken; this server owns them from now on.</param>
    /// <param name="time">For idle connections.</param>
    /// <param name="onFatal">Called when a loop of the server died.</param>
    public SocketServer(BrokerCore core, IReadOnlyList<Acceptor> acceptors, TimeProvider time, Action<Exception> onFatal)
    {
        _core = core;
        _time = time;
        _onFatal = onFatal;
        _acceptors = acceptors;
        int loops = Math.Clamp(Environment.ProcessorCount, 2, 16);
        _loops = [.. Enumerable.Range(0, loops).Select(i => new EventLoop($"broker network {i}", onFatal))];
        TimeSpan sweep = core.Settings.ConnectionIdleMax / SweepsOfIdle;
        _idleSweep = time.CreateTimer(_ => CloseIdle(), null, sweep, sweep);
    }

    /// <summary>Where each listener listens, with the ports in use.</summary>
    public IReadOnlyList<(Listener Listener, IPEndPoint Endpoint)> Endpoints =>
        [.. _acceptors.Select(acceptor => (acceptor.Listener, acceptor.Endpoint))];

    /// <summary>Connections being served.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_lock)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Lets clients connect, on all listeners or on none.</summary>
    /// <exception cref="BrokerStartException">An address cannot be had after all.</exception>
    public void Start()
    {
        foreach (Acceptor acceptor in _acceptors)
        {
            acceptor.Listen();
        }
        foreach (Acceptor acceptor in _acceptors)
        {
            acceptor.Start(socket => Serve(acceptor.Listener, socket), _onFatal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _idleSweep.DisposeAsync();
        await Acceptor.CloseAllAsync(_acceptors);
        foreach ((OpenConnection connection, Task running) in Snapshot())
        {
            connection.Transport.Abort();
            await running;
        }
        Array.ForEach(_loops, loop => loop.Dispose());
        _stopping.Dispose();
    }

    private void Serve(Listener listener, Socket socket)
    {
        lock (_lock)
        {
            bool isFull = _open.Count >= _core.Settings.ConnectionsMax;
            if (isFull || _reserve.IsTouchedBy(socket))
            {
                Refuse(socket, isFull);
                return;
            }
            _isRefusalTold = false;
            try
            {
                // A listener whose protocol is TLS wraps its transport here.
                EventLoop events = _loops[(uint)_accepted++ % _loops.Length];
                var transport = new SocketTransport(socket, events);
                var connection = new OpenConnection(transport, new ConnectionLoop(_core, listener, transport, _time));
                _open.Add(connection, RunAsync(connection));
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    // Under _lock.
    private void Refuse(Socket socket, bool isFull)
    {
        _core.Telemetry.ConnectionRefused();
        if (!_isRefusalTold)
        {
            _isRefusalTold = true;
            if (isFull)
            {
                _core.Logger.ConnectionRefused(socket.RemoteEndPoint, _open.Count);
            }
            else
            {
                _core.Logger.NoHandleLeft(socket.RemoteEndPoint, _open.Count);
            }
        }
        socket.Dispose();
    }

    private async Task RunAsync(OpenConnection connection)
    {
        await Task.Yield();
        await connection.Loop.RunAsync(_stopping.Token);
        lock (_lock)
        {
            _open.Remove(connection);
        }
    }

    private void CloseIdle()
    {
        foreach ((OpenConnection connection, _) in Snapshot())
        {
            connection.UnmovedSweeps = connection.Transport.HasMoved() ? 0 : connection.UnmovedSweeps + 1;
            if (connection.UnmovedSweeps >= SweepsOfIdle)
            {
                _core.Logger.IdleClosed(connection.Transport.RemoteEndPoint);
                connection.Transport.Abort();
            }
        }
    }

    private KeyValuePair<OpenConnection, Task>[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _open];
        }
    }

    private sealed class OpenConnection(SocketTransport transport, ConnectionLoop loop)
    {
        public SocketTransport Transport => transport;

        public ConnectionLoop Loop => loop;

        /// <summary>Sweeps in a row that found no byte moved; the sweep's own.</summary>
        public int UnmovedSweeps { get; set; }
    }
}
