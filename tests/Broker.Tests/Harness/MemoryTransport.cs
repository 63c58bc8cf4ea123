using System.Buffers.Binary;
using System.Net;
using System.Threading.Channels;
using LogPipeline.Broker.Network;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Tests.Harness;

/// <summary>A connection in memory: what the test writes is received, what is sent the test reads.</summary>
internal sealed class MemoryTransport : IConnectionTransport
{
    private readonly Channel<byte[]> _toBroker = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<byte[]> _toClient = Channel.CreateUnbounded<byte[]>();
    private readonly CancellationTokenSource _gone = new();
    private ReadOnlyMemory<byte> _received;

    public EndPoint? LocalEndPoint { get; init; } = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 19092);

    public EndPoint? RemoteEndPoint { get; init; } = new IPEndPoint(IPAddress.Parse("198.51.100.9"), 40000);

    public CancellationToken Gone => _gone.Token;

    public ChannelReader<byte[]> Sent => _toClient.Reader;

    public void Write(byte[] bytes) => _toBroker.Writer.TryWrite(bytes);

    public void CloseFromClient()
    {
        _toBroker.Writer.TryComplete();
        _gone.Cancel();
    }

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        while (_received.IsEmpty)
        {
            if (!await _toBroker.Reader.WaitToReadAsync(cancellation))
            {
                return 0;
            }
            if (_toBroker.Reader.TryRead(out byte[]? bytes))
            {
                _received = bytes;
            }
        }
        int count = Math.Min(buffer.Length, _received.Length);
        _received[..count].CopyTo(buffer);
        _received = _received[count..];
        return count;
    }

    /// <summary>Answers that are ready together are sent together: the test reads them one by one, each with its size.</summary>
    public async ValueTask SendAsync(FrameBuffer frame, CancellationToken cancellation)
    {
        byte[] sent = new byte[frame.TotalLength];
        frame.CopyTo(sent);
        for (int at = 0, next; at < sent.Length; at = next)
        {
            next = at + sizeof(int) + BinaryPrimitives.ReadInt32BigEndian(sent.AsSpan(at));
            await _toClient.Writer.WriteAsync(sent[at..next], cancellation);
        }
    }

    public void Abort()
    {
        _toBroker.Writer.TryComplete(new IOException("aborted"));
        _toClient.Writer.TryComplete();
        _gone.Cancel();
    }

    public ValueTask DisposeAsync()
    {
        _toClient.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }
}
