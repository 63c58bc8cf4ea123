using System.Threading.Channels;

namespace LogPipeline.Client.Tests.Connections;

/// <summary>One end of a connection in memory. Disposing either end ends both.</summary>
internal sealed class DuplexStream : Stream
{
    private readonly Channel<byte[]> _in;
    private readonly Channel<byte[]> _out;
    private ReadOnlyMemory<byte> _rest;

    private DuplexStream(Channel<byte[]> receive, Channel<byte[]> send) => (_in, _out) = (receive, send);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static (DuplexStream Ours, DuplexStream Theirs) Pair()
    {
        Channel<byte[]> there = Channel.CreateUnbounded<byte[]>();
        Channel<byte[]> back = Channel.CreateUnbounded<byte[]>();
        return (new DuplexStream(back, there), new DuplexStream(there, back));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_rest.IsEmpty)
        {
            if (!await _in.Reader.WaitToReadAsync(cancellationToken))
            {
                return 0;
            }
            _rest = _in.Reader.TryRead(out byte[]? next) ? next : default;
        }
        int count = Math.Min(buffer.Length, _rest.Length);
        _rest.Span[..count].CopyTo(buffer.Span);
        _rest = _rest[count..];
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _out.Writer.TryWrite(buffer.ToArray()) ? default : throw new IOException("the connection is closed");

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _in.Writer.TryComplete();
        _out.Writer.TryComplete();
        base.Dispose(disposing);
    }
}
