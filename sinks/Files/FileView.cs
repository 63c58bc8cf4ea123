using LogPipeline.Files;

namespace LogPipeline.Sinks.Files;

/// <summary>A file as a stream. Closes the file with itself, unless it is to stay open.</summary>
/// <param name="file">The file.</param>
/// <param name="readable">So many of its first bytes are read; null: as many as are written.</param>
/// <param name="leaveOpen">Whether the file stays open.</param>
internal sealed class FileView(IFile file, long? readable = null, bool leaveOpen = false) : Stream
{
    private long _written;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => readable is null;

    public override long Length => readable ?? _written;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        int read = file.Read(buffer[..(int)Math.Clamp(Length - Position, 0, buffer.Length)], Position);
        Position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        file.Write(buffer, Position);
        Position += buffer.Length;
        _written = Math.Max(_written, Position);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nothing is kept back; the file is made durable by its owner.</summary>
    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void SetLength(long value)
    {
        file.SetLength(value);
        _written = value;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !leaveOpen)
        {
            file.Dispose();
        }
        base.Dispose(disposing);
    }
}
