using LogPipeline.Files;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Agent.Resending;

/// <summary>The begin of a file, to be read as if nothing followed it.</summary>
internal sealed class BoundedFile(IFile file, long length) : IFile
{
    public string Path => file.Path;

    public long Length => Math.Min(length, file.Length);

    public SafeFileHandle? Handle => null;

    public int Read(Span<byte> buffer, long position) =>
        position >= length ? 0 : file.Read(buffer[..(int)Math.Min(buffer.Length, length - position)], position);

    public FileStatus Status() => file.Status();

    public void Write(ReadOnlySpan<byte> bytes, long position) => throw ReadsOnly();

    public void Flush() => throw ReadsOnly();

    public ValueTask FlushAsync(bool beginNow = false) => throw ReadsOnly();

    public ValueTask WriteBackAsync(long position, long length) => throw ReadsOnly();

    public void SetLength(long length) => throw ReadsOnly();

    public bool Reserve(long length) => throw ReadsOnly();

    /// <summary>The file is its opener's to close.</summary>
    public void Dispose()
    {
    }

    private static NotSupportedException ReadsOnly() => new("this file is only read");
}
