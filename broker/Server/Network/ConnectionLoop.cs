using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Network;

// One connection, one reading loop. Requests are started in the order they came and answered in that order.
// Produce requests overlap: each is appended as soon as it is read, while the flushes of earlier ones are still awaited (group commit
// depends on that). Any other request waits until all before it are answered, as on Apache Kafka. Back-pressure is not reading: the
// ResponseQueue says when one more answer may be owed, and a client that is over its quota is muted. A frame's bytes are used up when
// its handler has returned (produce; or says so later, when it converts them) or completed (others), so one receive buffer serves the
// connection. All this runs on the thread
// that received, as long as nothing is awaited; what may wait for the disk leaves that thread first, since other connections share it.
// An error ends this connection alone: the client broke off, sent garbage, or met a fault of ours, which the pipeline reports.
/// <summary>Serves one client over its transport until either side closes.</summary>
public sealed class ConnectionLoop
{
    private readonly BrokerCore _core;
    private readonly IConnectionTransport _transport;
    private readonly ClientConnection _connection;
    private readonly ResponseQueue _responses;
    private readonly TimeProvider _time;
    private bool _isReported;

    /// <param name="core">Answers the requests.</param>
    /// <param name="listener">The listener that the client came in on.</param>
    /// <param name="transport">The connection; disposed when the loop ends.</param>
    /// <param name="time">For muting a client that is too fast.</param>
    public ConnectionLoop(BrokerCore core, Listener listener, IConnectionTransport transport, TimeProvider time)
    {
        _time = time;
        _core = core;
        _transport = transport;
        _connection = new ClientConnection(listener, transport.LocalEndPoint, transport.RemoteEndPoint, transport.Gone);
        _responses = new ResponseQueue(transport, core.Telemetry, Report);
    }

    /// <summary>Runs until the client leaves, misbehaves or is cancelled; the transport is disposed on return.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var frames = new FrameReceiver(_transport, _core.Settings.RequestBytesMax);
        _core.Telemetry.ConnectionOpened();
        try
        {
            while (await frames.ReadAsync(cancellation) is { } frame)
            {
                _core.Telemetry.BytesIn(frame.Length + 4);
                await ServeAsync(frame, cancellation);
                if (_connection.TakeMute() is { Ticks: > 0 } mute)
                {
                    await Task.Delay(mute, _time, cancellation);
                }
                if (frame.Length > PooledBytes.LargestPooled)
                {
                    _core.Heap.LargeBodyDone(frame.Length);
                }
            }
            await _responses.DrainAsync();
        }
        catch (Exception e)
        {
            Report(e);
            _transport.Abort();
        }
        finally
        {
            await _responses.StopAsync();
            await _transport.DisposeAsync();
            _core.Telemetry.ConnectionClosed();
        }
    }

    private async ValueTask ServeAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellation)
    {
        if (BrokerCore.MayOverlap(frame))
        {
            await _responses.RoomAsync();
            _responses.Enqueue(_core.HandleAsync(_connection, frame, cancellation));
            await _connection.FrameInUse;
            return;
        }
        await _responses.DrainAsync();
        if (!BrokerCore.IsShort(frame))
        {
            await Task.Yield();
        }
        using FrameBuffer? response = await _core.HandleAsync(_connection, frame, cancellation);
        if (response is not null)
        {
            await _responses.SendAsync(response, cancellation);
        }
    }

    /// <summary>Counts and names what a client did wrong, once a connection.</summary>
    private void Report(Exception e)
    {
        if (e is (CloseConnectionException or MalformedMessageException) && !_isReported)
        {
            _isReported = true;
            _core.Telemetry.BadFrame();
            _core.Logger.BadFrame(_connection.RemoteEndPoint, e.Message);
        }
    }
}
