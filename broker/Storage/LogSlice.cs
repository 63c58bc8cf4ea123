using LogPipeline.Files;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Storage;

/// <summary>
/// Whole record batches in a segment's file, ready for sendfile(2). It stays readable when the segment is deleted meanwhile: the
/// file is closed once nothing refers to it.
/// </summary>
public sealed class LogSlice(IFile? file, long position, int length, long firstOffset) : IRecordSource
{
    /// <summary>No batches.</summary>
    public static LogSlice Empty(long offset) => new(null, 0, 0, offset);

    /// <summary>The segment's file. An empty slice has none.</summary>
    public IFile File => file ?? throw new InvalidOperationException("An empty slice has no file.");

    /// <summary>Where in the file the first batch begins, in bytes.</summary>
    public long Position => position;

    /// <summary>Bytes of the batches together.</summary>
    public int Length => length;

    /// <summary>Base offset of the first batch, at or below the offset asked for; the offset asked for when empty.</summary>
    public long FirstOffset => firstOffset;

    /// <summary>Copies the batches to the start of <paramref name="to"/>.</summary>
    /// <exception cref="IOException">The disk refused, or the file has become shorter.</exception>
    public void CopyTo(Span<byte> to)
    {
        if (file is not null && file.ReadFully(to[..length], position) != length)
        {
            throw new IOException($"{file.Path} ends before position {position + length}.");
        }
    }
}
