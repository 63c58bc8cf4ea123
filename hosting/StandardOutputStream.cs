using System.Runtime.InteropServices;

namespace LogPipeline.Hosting;

/// <summary>
/// Standard output for what may be long or without end. The console's own stream takes a reader that has gone for one that reads on, so that
/// `logpipe consume … | head -1` would print into nothing for ever; this one throws, with the error code of a broken pipe.
/// </summary>
public sealed partial class StandardOutputStream : Stream
{
    /// <summary>What a write into a pipe without a reader fails with.</summary>
    public const int BrokenPipe = 32;

    private const int Descriptor = 1;
    private const short PollError = 8;

    private readonly Stream _console = Console.OpenStandardOutput();

    /// <summary>Has the console print by it: for a verb that prints again and again.</summary>
    public static void UseForConsole() => Console.SetOut(new StreamWriter(new StandardOutputStream()) { AutoFlush = true });

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => _console.Flush();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _console.Write(buffer);
        var entry = new PollEntry { Descriptor = Descriptor };
        if (Poll(ref entry, 1, 0) > 0 && (entry.Returned & PollError) != 0)
        {
            throw new IOException("nobody reads the output any more", BrokenPipe);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _console.Dispose();
        base.Dispose(disposing);
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollEntry entries, nuint count, int milliseconds);

    /// <summary>struct pollfd.</summary>
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
