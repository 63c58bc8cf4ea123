using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Connections;

/// <summary>
/// Writes frames to a broker's stream, each by one write where it can be: without Nagle's delay every piece is a packet, which wakes the broker.
/// </summary>
internal sealed class FrameWriter(Stream stream)
{
    /// <summary>Bytes of a frame that is put together in memory: copying them costs less than handing over a list.</summary>
    private const int CopiedMax = 16 << 10;

    private readonly Socket? _socket = (stream as NetworkStream)?.Socket;
    private readonly List<ArraySegment<byte>> _pieces = [];

    /// <summary>Writes the frame's own bytes with the spliced records, which stay where they are, in between. One call at a time.</summary>
    public ValueTask WriteAsync(FrameBuffer frame) =>
        frame.Splices.Count == 0 ? stream.WriteAsync(frame.Bytes)
        : frame.TotalLength <= CopiedMax ? WriteCopyAsync(frame)
        : _socket is Socket socket && TryCollect(frame) ? new ValueTask(socket.SendAsync(_pieces))
        : WritePiecesAsync(frame);

    private async ValueTask WriteCopyAsync(FrameBuffer frame)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(frame.TotalLength);
        try
        {
            frame.CopyTo(bytes);
            await stream.WriteAsync(bytes.AsMemory(0, frame.TotalLength));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>A stream of TLS takes no list, and makes a record of its own of each 16 KiB anyway.</summary>
    private async ValueTask WritePiecesAsync(FrameBuffer frame)
    {
        int from = 0;
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            if (splice.Position > from)
            {
                await stream.WriteAsync(frame.Bytes[from..splice.Position]);
                from = splice.Position;
            }
            await stream.WriteAsync(splice.Records.Memory);
        }
        if (from < frame.Length)
        {
            await stream.WriteAsync(frame.Bytes[from..]);
        }
    }

    /// <summary>Lists the frame's pieces for one sendmsg(2); false where one lies in memory that is no array.</summary>
    private bool TryCollect(FrameBuffer frame)
    {
        _pieces.Clear();
        int from = 0;
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            if (!TryAdd(frame.Bytes[from..splice.Position]) || !TryAdd(splice.Records.Memory))
            {
                return false;
            }
            from = splice.Position;
        }
        return TryAdd(frame.Bytes[from..]);
    }

    private bool TryAdd(ReadOnlyMemory<byte> bytes)
    {
        if (!MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> piece))
        {
            return false;
        }
        if (piece.Count > 0)
        {
            _pieces.Add(piece);
        }
        return true;
    }
}
