using LogPipeline.Files;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Whole record batches in a segment's file. It stays readable when the segment is deleted meanwhile: the file is closed when the last
/// slice of it is disposed.
/// </summary>
public sealed class LogSlice : IRecordSource
{
    private readonly FileUse _use;
    private readonly IFile? _file;
    private int _isDisposed;

    internal LogSlice(FileUse use, long position, int length, long firstOffset)
        : this(firstOffset)
    {
        _use = use;
        _file = use.File;
        Position = position;
        Length = length;
    }

    private LogSlice(long firstOffset) => FirstOffset = firstOffset;

    /// <summary>No batches.</summary>
    public static LogSlice Empty(long offset) => new(offset);

    /// <summary>Where in the file the first batch begins, in bytes.</summary>
    public long Position { get; }

    /// <summary>Bytes of the batches together.</summary>
    public int Length { get; }

    /// <summary>Base offset of the first batch, at or below the offset asked for; the offset asked for when empty.</summary>
    public long FirstOffset { get; }

    /// <summary>Copies the batches to the start of <paramref name="to"/>.</summary>
    /// <exception cref="IOException">The disk refused, or the file has become shorter.</exception>
    public void CopyTo(Span<byte> to)
    {
        if (_file is not null && _file.ReadFully(to[..Length], Position) != Length)
        {
            throw new IOException($"{_file.Path} ends before position {Position + Length}.");
        }
    }

    /// <inheritdoc/>
    public ValueTask SendAsync(IRecordSender sender)
    {
        ArgumentNullException.ThrowIfNull(sender);
        if (_file?.Handle is { } handle)
        {
            return sender.SendFileAsync(handle, Position, Length);
        }
        byte[] bytes = new byte[Length];
        CopyTo(bytes);
        return sender.SendAsync(bytes);
    }

    /// <summary>Lets go of the file.</summary>
    public void Dispose()
    {
        if (_file is not null && Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _use.Dispose();
        }
    }
}
