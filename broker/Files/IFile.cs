using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Files;

/// <summary>An open file. Positions are bytes from the start. One writer at a time; readers may run beside it.</summary>
public interface IFile : IDisposable
{
    /// <summary>The path it was opened by; the file may since have been renamed.</summary>
    string Path { get; }

    /// <summary>Size in bytes now.</summary>
    long Length { get; }

    /// <summary>Reads up to <paramref name="buffer"/>.Length bytes; 0 at the end.</summary>
    int Read(Span<byte> buffer, long position);

    /// <summary>Writes all bytes; not durable before <see cref="Flush"/>.</summary>
    void Write(ReadOnlySpan<byte> bytes, long position);

    /// <summary>fdatasync: bytes and length are durable on return.</summary>
    void Flush();

    /// <summary>The same, off the caller's thread; the caller goes on on the thread that flushed.</summary>
    /// <param name="beginNow">
    /// True when the caller first does other work on its thread. A flush thread that asks for a flush takes it itself otherwise, as soon
    /// as it is free.
    /// </param>
    ValueTask FlushAsync(bool beginNow = false);

    /// <summary>
    /// Writes a range to the disk in small pieces, one file at a time, so that what others flush meanwhile is not held up for long. Not
    /// durable before <see cref="Flush"/>, which then has little left to do.
    /// </summary>
    ValueTask WriteBackAsync(long position, long length);

    /// <summary>Cuts or extends (with zeros) the file.</summary>
    void SetLength(long length);

    /// <summary>
    /// Reserves disk space up to <paramref name="length"/> without changing <see cref="Length"/>: a write below it is never refused for
    /// want of space.
    /// </summary>
    /// <returns>False when the disk has no such space, or the file system cannot reserve.</returns>
    bool Reserve(long length);

    /// <summary>fstat: of the open file, whatever its name is now.</summary>
    FileStatus Status();

    /// <summary>The operating system's handle for sendfile(2); null when there is none.</summary>
    SafeFileHandle? Handle { get; }
}
