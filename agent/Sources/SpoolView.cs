using LogPipeline.Files;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// The disk as the tailer sees it where there are spools: of a spool's file only what is durable. A line that was sent and then lost with the
/// power would be sent again by a source that goes on where its spool ends.
/// </summary>
internal sealed class SpoolView(IFileSystem inner, IReadOnlyList<Spool> spools) : IFileSystem
{
    public IFile Open(string path, FileOpenMode mode)
    {
        IFile file = inner.Open(path, mode);
        return spools.FirstOrDefault(spool => spool.TryLength(path, out _)) is Spool spool ? new DurablePart(file, spool) : file;
    }

    public FileStatus? Stat(string path) => inner.Stat(path) is FileStatus status ? Cut(path, status) : null;

    public bool FileExists(string path) => inner.FileExists(path);

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    public void MakeDirectory(string path) => inner.MakeDirectory(path);

    public void Delete(string path) => inner.Delete(path);

    public void DeleteDirectory(string path) => inner.DeleteDirectory(path);

    public void Rename(string from, string to) => inner.Rename(from, to);

    public void FlushDirectory(string path) => inner.FlushDirectory(path);

    public void FlushAll(string path) => inner.FlushAll(path);

    public IReadOnlyList<DirectoryEntry> List(string path) => inner.List(path);

    public string? RealPath(string path) => inner.RealPath(path);

    public IDisposable Lock(string path) => inner.Lock(path);

    public long FreeBytes(string path) => inner.FreeBytes(path);

    public long TotalBytes(string path) => inner.TotalBytes(path);

    public int FreeHandles() => inner.FreeHandles();

    private FileStatus Cut(string path, FileStatus status)
    {
        foreach (Spool spool in spools)
        {
            if (spool.TryLength(path, out long durable) && durable < status.Length)
            {
                return status with { Length = durable };
            }
        }
        return status;
    }

    private sealed class DurablePart(IFile inner, Spool spool) : IFile
    {
        // What was durable stays so when the spool forgets the file.
        private long _durable;

        public string Path => inner.Path;

        public long Length => Math.Min(inner.Length, Durable());

        public SafeFileHandle? Handle => inner.Handle;

        public int Read(Span<byte> buffer, long position)
        {
            long left = Durable() - position;
            return left <= 0 ? 0 : inner.Read(buffer.Length > left ? buffer[..(int)left] : buffer, position);
        }

        public FileStatus Status()
        {
            FileStatus status = inner.Status();
            return status with { Length = Math.Min(status.Length, Durable()) };
        }

        public void Write(ReadOnlySpan<byte> bytes, long position) => inner.Write(bytes, position);

        public void Flush() => inner.Flush();

        public ValueTask FlushAsync(bool beginNow = false) => inner.FlushAsync(beginNow);

        public ValueTask WriteBackAsync(long position, long length) => inner.WriteBackAsync(position, length);

        public void SetLength(long length) => inner.SetLength(length);

        public bool Reserve(long length) => inner.Reserve(length);

        public void Dispose() => inner.Dispose();

        private long Durable()
        {
            if (spool.TryLength(inner.Path, out long durable))
            {
                _durable = durable;
            }
            return _durable;
        }
    }
}
