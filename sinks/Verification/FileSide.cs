using LogPipeline.Files;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// The file that a generation was read from, if it is still on this machine under its name or a rotated one: the one whose bytes
/// at the first record seen are that record's.
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
    public static FileSide? Find(IFileSystem files, string path, long position, ReadOnlySpan<byte> value)
    {
        string directory = System.IO.Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        string name = System.IO.Path.GetFileName(path);
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (entry.IsDirectory || !entry.Name.StartsWith(name, StringComparison.Ordinal) || value.IsEmpty)
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
            if (side.Holds(position, value))
            {
                return side;
            }
            side.Dispose();
        }
        return null;
    }

    /// <summary>Whether the file has these bytes at this place.</summary>
    public bool Holds(long position, ReadOnlySpan<byte> value)
    {
        if (position < _windowStart || position + value.Length > _windowStart + _windowLength)
        {
            Fill(position, value.Length);
        }
        return position + value.Length <= _windowStart + _windowLength
            && _window.AsSpan((int)(position - _windowStart), value.Length).SequenceEqual(value);
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
