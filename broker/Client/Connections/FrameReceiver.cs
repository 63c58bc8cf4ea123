using System.Buffers.Binary;

namespace LogPipeline.Client.Connections;

/// <summary>
/// Reads <c>size i32 | frame</c> from a stream through a small buffer, so that a small frame costs one read; the rest of a large
/// one goes straight to where it is wanted. Owned by the connection's read loop.
/// </summary>
internal sealed class FrameReceiver(Stream stream)
{
    private readonly byte[] _buffer = new byte[16 << 10];
    private int _begin;
    private int _end;

    /// <summary>The next frame's size; -1 at a clean end of the stream.</summary>
    public async ValueTask<int> SizeAsync()
    {
        while (_end - _begin < sizeof(int))
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
            int read = await stream.ReadAsync(_buffer.AsMemory(_end));
            if (read == 0)
            {
                return _end == 0 ? -1 : throw new EndOfStreamException("the broker closed the connection inside a frame's size");
            }
            _end += read;
        }
        int size = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_begin));
        _begin += sizeof(int);
        return size;
    }

    /// <summary>Fills <paramref name="frame"/>.</summary>
    public async ValueTask FillAsync(Memory<byte> frame)
    {
        int buffered = Math.Min(frame.Length, _end - _begin);
        _buffer.AsSpan(_begin, buffered).CopyTo(frame.Span);
        _begin += buffered;
        for (frame = frame[buffered..]; frame.Length > 0;)
        {
            int read = await stream.ReadAsync(frame);
            if (read == 0)
            {
                throw new EndOfStreamException("the broker closed the connection inside a frame");
            }
            frame = frame[read..];
        }
    }
}
