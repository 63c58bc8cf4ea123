using System.Buffers.Binary;
using LogPipeline.Protocol;
using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Network;

/// <summary>What one process holds of a connection. Each call is a seam call.</summary>
public sealed class LinkEnd
{
    private readonly Link _link;
    private readonly Life _life;
    private readonly Flow _out;
    private readonly Flow _in;
    private bool _closed;

    internal LinkEnd(Link link, Life life, Flow outgoing, Flow incoming)
    {
        _link = link;
        _life = life;
        _out = outgoing;
        _in = incoming;
    }

    internal Part Owner => _life.Part;

    public Task<int> ReceiveAsync(Memory<byte> target, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        bool cutAfter = _life.Enter("receive");
        ObjectDisposedException.ThrowIf(_closed, this);
        Task<int> received = _in.ReadAsync(target, cancellation);
        if (cutAfter)
        {
            _life.CutAfter("receive");
        }
        return received;
    }

    public Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        bool cutAfter = _life.Enter("send");
        ObjectDisposedException.ThrowIf(_closed, this);
        _life.World.Trace.Say(_life.Part, $"sends {bytes.Length} bytes{Api(bytes.Span)} to {_link.PeerOf(this)}");
        _link.Send(_life, _out, bytes);
        if (cutAfter)
        {
            _life.CutAfter("send");
        }
        return _out.RoomAsync();
    }

    // A request of a client begins size i32, api key i16.
    private string Api(ReadOnlySpan<byte> bytes) =>
        _link.ClientEnd == this && bytes.Length >= 6 ? $" ({(ApiKey)BinaryPrimitives.ReadInt16BigEndian(bytes[4..])})" : "";

    public void Close()
    {
        if (!_closed)
        {
            _closed = true;
            _link.Closed(_out, _in);
        }
    }

    public void Abort()
    {
        _closed = true;
        _link.Cut("connection reset by peer");
    }
}
