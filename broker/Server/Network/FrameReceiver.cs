using System.Buffers.Binary;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;

namespace LogPipeline.Broker.Network;

// Cuts the byte stream into frames: size i32, then that many bytes.
// Small frames lie in one connection buffer, several to a receive; a frame larger than the buffer gets one of its own for as long as
// it is the current frame, so an idle connection holds BufferBytes and no more. What a client says of a frame's size is only believed
// as far as it has kept its word: the buffer of a large frame begins with what the largest frame so far needed and grows fourfold while
// bytes come in, so a size that lies costs no memory.
/// <summary>Reads the frames of one connection, one at a time.</summary>
internal sealed class FrameReceiver(IConnectionTransport transport, int frameBytesMax) : IDisposable
{
    private const int BufferBytes = 32 * 1024;

    private byte[] _buffer = PooledBytes.Rent(BufferBytes);
    private byte[] _large = [];
    private int _start;
    private int _end;
    private int _largestSoFar = BufferBytes;

    /// <summary>The next frame without its size, valid until the next call; null when the client has closed between frames.</summary>
    /// <exception cref="CloseConnectionException">The size is no size of a request, or the stream ends within a frame.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellation)
    {
        PooledBytes.Return(ref _large);
        while (_end - _start < 4)
        {
            if (!await FillAsync(4, cancellation))
            {
                return _end == _start ? null : throw new CloseConnectionException("the stream ended within a frame's size");
            }
        }
        int size = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start));
        if (size < 0 || size > frameBytesMax)
        {
            throw new CloseConnectionException($"a frame of {size} bytes where socket.request.max.bytes is {frameBytesMax}");
        }
        _start += 4;
        if (size > _buffer.Length)
        {
            return await ReadLargeAsync(size, cancellation);
        }
        while (_end - _start < size)
        {
            if (!await FillAsync(size, cancellation))
            {
                throw new CloseConnectionException("the stream ended within a frame");
            }
        }
        _start += size;
        return _buffer.AsMemory(_start - size, size);
    }

    public void Dispose()
    {
        PooledBytes.Return(ref _large);
        PooledBytes.Return(ref _buffer);
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadLargeAsync(int size, CancellationToken cancellation)
    {
        int have = _end - _start;
        _large = PooledBytes.Rent(Math.Min(size, Math.Max(_largestSoFar, have * 2)));
        _buffer.AsSpan(_start, have).CopyTo(_large);
        _start = _end = 0;
        while (have < size)
        {
            if (have == _large.Length)
            {
                PooledBytes.Grow(ref _large, (int)Math.Min(size, have * 4L), keep: have);
            }
            int received = await transport.ReceiveAsync(_large.AsMemory(have, Math.Min(size, _large.Length) - have), cancellation);
            if (received == 0)
            {
                throw new CloseConnectionException("the stream ended within a frame");
            }
            have += received;
        }
        _largestSoFar = Math.Max(_largestSoFar, size);
        return _large.AsMemory(0, size);
    }

    /// <summary>Receives more, with room for <paramref name="wanted"/> bytes from the start; false at the end of the stream.</summary>
    private async ValueTask<bool> FillAsync(int wanted, CancellationToken cancellation)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_buffer.Length - _start < wanted)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        int received = await transport.ReceiveAsync(_buffer.AsMemory(_end), cancellation);
        _end += received;
        return received > 0;
    }
}
