using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Network;

// Accepting must outlive every shortage: without a free handle, buffer or watch the clients wait in the system's backlog, the loop
// tries again after a pause, and the operator is told once until a connection gets through again. A connection that its client gave
// up meanwhile is nothing to pause for.
/// <summary>Listens for one listener and hands out the connections that come in.</summary>
internal sealed class Acceptor : IAsyncDisposable
{
    /// <summary>Time between two tries while the system cannot hand out a connection.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private const int BacklogMax = 512;

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _accepting = Task.CompletedTask;
    private bool _isTold; // of the accepting task alone

    /// <summary>Takes the address; clients can connect from <see cref="Listen"/> on.</summary>
    /// <exception cref="BrokerStartException">The address cannot be had.</exception>
    public Acceptor(Listener listener, TimeProvider time, ILogger logger)
    {
        Listener = listener;
        _socket = Bind(listener);
        _time = time;
        _logger = logger;
    }

    public Listener Listener { get; }

    public IPEndPoint Endpoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Takes the addresses of all listeners, or of none.</summary>
    /// <exception cref="BrokerStartException">One of them cannot be had.</exception>
    public static IReadOnlyList<Acceptor> BindAll(IReadOnlyList<Listener> listeners, TimeProvider time, ILogger logger)
    {
        var bound = new List<Acceptor>(listeners.Count);
        try
        {
            foreach (Listener listener in listeners)
            {
                bound.Add(new Acceptor(listener, time, logger));
            }
            return bound;
        }
        catch
        {
            bound.ForEach(acceptor => acceptor._socket.Dispose());
            throw;
        }
    }

    /// <summary>Lets go of the addresses.</summary>
    public static async ValueTask CloseAllAsync(IEnumerable<Acceptor> acceptors)
    {
        foreach (Acceptor acceptor in acceptors)
        {
            await acceptor.DisposeAsync();
        }
    }

    /// <summary>Lets clients connect; they wait in the backlog until <see cref="Start"/>.</summary>
    /// <exception cref="BrokerStartException">Another process was quicker.</exception>
    public void Listen()
    {
        try
        {
            _socket.Listen(BacklogMax);
        }
        catch (SocketException e)
        {
            throw CannotBeHad(Listener, Listener.Bind.ToString(), e);
        }
    }

    /// <summary>Begins to accept.</summary>
    /// <param name="serve">Takes over each accepted connection.</param>
    /// <param name="onFatal">Called when accepting ends for a reason other than <see cref="DisposeAsync"/>.</param>
    public void Start(Action<Socket> serve, Action<Exception> onFatal) => _accepting = RunAsync(serve, onFatal);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _socket.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task RunAsync(Action<Socket> serve, Action<Exception> onFatal)
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                await AcceptAsync(serve);
            }
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // The socket was closed under the call: that is how it ends.
        }
        catch (Exception e)
        {
            onFatal(e);
        }
    }

    // SocketException is a Win32Exception, and so is what epoll says when it has no watch left for the new socket.
    private async ValueTask AcceptAsync(Action<Socket> serve)
    {
        try
        {
            serve(await _socket.AcceptAsync(_stopping.Token));
            _isTold = false;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
        {
        }
        catch (Win32Exception e) when (!_stopping.IsCancellationRequested)
        {
            if (!_isTold)
            {
                _isTold = true;
                _logger.AcceptRefused(Endpoint, e.Message);
            }
            await Task.Delay(Pause, _time, _stopping.Token);
        }
    }

    private static Socket Bind(Listener listener)
    {
        IPEndPoint address = listener.Bind.Resolve();
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = true;
            }
            socket.Bind(address);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw CannotBeHad(listener, address.ToString(), e);
        }
    }

    private static BrokerStartException CannotBeHad(Listener listener, string address, SocketException e) =>
        new(e.SocketErrorCode == SocketError.AddressAlreadyInUse
            ? $"{address} is in use by another process. Stop it, or choose another address for the listener {listener.Name}."
            : $"The listener {listener} cannot be had: {e.Message}.", e);
}
