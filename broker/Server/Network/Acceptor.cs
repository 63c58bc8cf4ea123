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

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _accepting = Task.CompletedTask;
    private bool _isTold; // of the accepting task alone

    /// <summary>Binds; connections are taken from <see cref="Start"/> on.</summary>
    /// <exception cref="BrokerStartException">The address cannot be had.</exception>
    public Acceptor(Listener listener, TimeProvider time, ILogger logger)
    {
        _socket = Bind(listener);
        _time = time;
        _logger = logger;
    }

    public IPEndPoint Endpoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Begins to accept.</summary>
    /// <param name="serve">Takes over each accepted connection.</param>
    /// <param name="onFatal">Called when accepting ends for a reason other than <see cref="DisposeAsync"/>.</param>
    public void Start(Action<Socket> serve, Action<Exception> onFatal) => _accepting = RunAsync(serve, onFatal);

    /// <summary>Lets go of the address, when it was never started.</summary>
    public void Close() => _socket.Dispose();

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
            socket.Listen(512);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new BrokerStartException(e.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? $"{address} is in use by another process. Stop it, or choose another address for the listener {listener.Name}."
                : $"The listener {listener} cannot be had: {e.Message}.", e);
        }
    }
}
