using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// The file that a generation was read from, if it is still on this machine under its name or a rotated one: the one whose bytes
/// at the first record seen are that record's, or have its sum where the record's value is not the file's bytes.
/// </summary>
internal sealed class FileSide : IDisposable
{
    private const int WindowBytes = 1 << 20;

    private readonly IFile _file;
    private byte[] _window = new byte[WindowBytes];
    private long _windowStart;
    private int _windowLength;

    private FileSide(IFile file)
    {
        _file = file;
        Length = file.Length;
    }

    /// <summary>Size in bytes when it was found; known still when the file is let go of.</summary>
    public long Length { get; }

    public string Path => _file.Path;

    /// <summary>Null when no file here has these bytes at this place.</summary>
    public static FileSide? Find(IFileSystem files, string path, in Row record, ReadOnlySpan<byte> value)
    {
        bool tells = IsShaped(record) ? record.FileSum != 0 : !value.IsEmpty;
        string directory = System.IO.Path.GetDirectoryName(PathText.Parse(path)) is { Length: > 0 } parent ? parent : ".";
        string name = System.IO.Path.GetFileName(path);
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (entry.IsDirectory || !PathText.Show(entry.Name).StartsWith(name, StringComparison.Ordinal) || !tells)
            {
                continue;
            }
            FileSide side;
            try
            {
                side = new FileSide(files.Open(System.IO.Path.Combine(directory, entry.Name), FileOpenMode.Read));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                continue;
            }
            if (side.Holds(record, value))
            {
                return side;
            }
            side.Dispose();
        }
        return null;
    }

    /// <summary>Whether the file has a record's bytes at its place.</summary>
    public bool Holds(in Row record, ReadOnlySpan<byte> value)
    {
        long begin = Math.Max(record.CoveredBegin, record.LineBegin);
        if (!IsShaped(record))
        {
            return Holds(begin, value);
        }
        int length = (int)(record.CoveredEnd - begin);
        return record.FileSum == 0 || (Reach(begin, length) && RecordSum.OfFile(_window.AsSpan((int)(begin - _windowStart), length)) == record.FileSum);
    }

    private static bool IsShaped(in Row record) => (record.Flags & PositionFlags.Shaped) != 0;

    private bool Holds(long position, ReadOnlySpan<byte> value) =>
        Reach(position, value.Length) && _window.AsSpan((int)(position - _windowStart), value.Length).SequenceEqual(value);

    /// <summary>Makes sure that a stretch is in the window; false when the file ends before.</summary>
    private bool Reach(long position, int length)
    {
        if (position < _windowStart || position + length > _windowStart + _windowLength)
        {
            Fill(position, length);
        }
        return position + length <= _windowStart + _windowLength;
    }

    public void Dispose() => _file.Dispose();

    private void Fill(long position, int needed)
    {
        if (needed > _window.Length)
        {
            _window = new byte[needed];
        }
        (_windowStart, _windowLength) = (position, 0);
        while (_windowLength < _window.Length)
        {
            int read = _file.Read(_window.AsSpan(_windowLength), position + _windowLength);
            if (read == 0)
            {
                break;
            }
            _windowLength += read;
        }
    }
}
