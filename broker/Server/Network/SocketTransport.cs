using System.Net;
using System.Net.Sockets;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Network;

// How a frame leaves: one send when it has no splices; one gathering send when the spliced records are in memory or small enough to
// be worth copying; SendPacketsAsync, which is sendfile(2) on Linux, when a splice is a large region of a segment file.
/// <summary>A TCP connection.</summary>
internal sealed class SocketTransport : IConnectionTransport
{
    /// <summary>File regions up to this size are read and sent with the rest: cheaper than a sendfile of their own.</summary>
    private const int CopyUpTo = 32 * 1024;

    private readonly Socket _socket;
    private readonly FileRegionSender _files;

    public SocketTransport(Socket socket)
    {
        _socket = socket;
        _socket.NoDelay = true;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        _files = new FileRegionSender(socket);
    }

    public EndPoint? LocalEndPoint { get; }

    public EndPoint? RemoteEndPoint { get; }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation) =>
        _socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);

    public async ValueTask SendAsync(FrameBuffer frame, CancellationToken cancellation)
    {
        if (frame.Splices.Count == 0)
        {
            await SendAllAsync(frame.Bytes, cancellation);
        }
        else if (IsWorthSendFile(frame))
        {
            await _files.SendAsync(frame);
        }
        else
        {
            using var whole = new FrameBuffer();
            Flatten(frame, whole.Append(frame.TotalLength));
            await SendAllAsync(whole.Bytes, cancellation);
        }
    }

    public void Abort() => _socket.Dispose();

    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellation)..];
        }
    }

    private static bool IsWorthSendFile(FrameBuffer frame)
    {
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            if (splice.Records.Length > CopyUpTo)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Copies a frame with its splices in place.</summary>
    internal static void Flatten(FrameBuffer frame, Span<byte> to)
    {
        int from = 0;
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            frame.Bytes.Span[from..splice.Position].CopyTo(to);
            to = to[(splice.Position - from)..];
            from = splice.Position;
            if (splice.Records.Source is LogSlice slice)
            {
                slice.CopyTo(to[..slice.Length]);
            }
            else
            {
                splice.Records.Memory.Span.CopyTo(to);
            }
            to = to[splice.Records.Length..];
        }
        frame.Bytes.Span[from..].CopyTo(to);
    }
}
