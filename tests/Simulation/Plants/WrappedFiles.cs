using LogPipeline.Files;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Simulation.Plants;

/// <summary>A file system that says it has done what it has not: flushes, directory flushes and listings can lie.</summary>
internal sealed class WrappedFiles(IFileSystem inner) : IFileSystem
{
    private string? _deletedFrom; // until that directory is flushed

    /// <summary>Files whose flush does nothing.</summary>
    public Func<string, bool> SkipsFlush { get; init; } = static _ => false;

    /// <summary>Directories whose flush does nothing.</summary>
    public Func<string, bool> SkipsDirectoryFlush { get; init; } = static _ => false;

    /// <summary>Directories in which a flush behind a deletion does nothing.</summary>
    public Func<string, bool> SkipsFlushOfDeletion { get; init; } = static _ => false;

    /// <summary>Renames, by their target, that do nothing.</summary>
    public Func<string, bool> SkipsRename { get; init; } = static _ => false;

    /// <summary>Runs before each write.</summary>
    public Action<string>? BeforeWrite { get; init; }

    /// <summary>Names that a listing leaves out.</summary>
    public Func<string, bool> Hides { get; init; } = static _ => false;

    public IFile Open(string path, FileOpenMode mode)
    {
        IFile file = inner.Open(path, mode);
        return new Wrapped(file, SkipsFlush(path), BeforeWrite);
    }

    public bool FileExists(string path) => inner.FileExists(path);

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    public void MakeDirectory(string path) => inner.MakeDirectory(path);

    public void Delete(string path)
    {
        inner.Delete(path);
        _deletedFrom = Path.GetDirectoryName(path);
    }

    public void DeleteDirectory(string path) => inner.DeleteDirectory(path);

    public void Rename(string from, string to)
    {
        if (!SkipsRename(to))
        {
            inner.Rename(from, to);
        }
    }

    public void FlushDirectory(string path)
    {
        bool isOfDeletion = _deletedFrom == path;
        _deletedFrom = isOfDeletion ? null : _deletedFrom;
        if (!SkipsDirectoryFlush(path) && !(isOfDeletion && SkipsFlushOfDeletion(path)))
        {
            inner.FlushDirectory(path);
        }
    }

    public void FlushAll(string path) => inner.FlushAll(path);

    public IReadOnlyList<DirectoryEntry> List(string path) => [.. inner.List(path).Where(entry => !Hides(entry.Name))];

    public FileStatus? Stat(string path) => inner.Stat(path);

    public string? RealPath(string path) => inner.RealPath(path);

    public IDisposable Lock(string path) => inner.Lock(path);

    public long FreeBytes(string path) => inner.FreeBytes(path);

    public long TotalBytes(string path) => inner.TotalBytes(path);

    public int FreeHandles() => inner.FreeHandles();

    private sealed class Wrapped(IFile inner, bool skipsFlush, Action<string>? beforeWrite) : IFile
    {
        public string Path => inner.Path;

        public long Length => inner.Length;

        public SafeFileHandle? Handle => inner.Handle;

        public int Read(Span<byte> buffer, long position) => inner.Read(buffer, position);

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            beforeWrite?.Invoke(inner.Path);
            inner.Write(bytes, position);
        }

        public void Flush()
        {
            if (!skipsFlush)
            {
                inner.Flush();
            }
        }

        public ValueTask WriteBackAsync(long position, long length) => inner.WriteBackAsync(position, length);

        public ValueTask FlushAsync(bool beginNow = false) =>
            skipsFlush ? ValueTask.CompletedTask : inner.FlushAsync(beginNow);

        public void SetLength(long length) => inner.SetLength(length);

        public bool Reserve(long length) => inner.Reserve(length);

        public FileStatus Status() => inner.Status();

        public void Dispose() => inner.Dispose();
    }
}
