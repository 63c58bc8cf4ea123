using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Files.Linux;

/// <summary>A file by its descriptor. A file that is dropped without Dispose is closed by the descriptor's finalizer.</summary>
internal sealed class LinuxFile(string path, SafeFileHandle handle, FlushThreads flushThreads, FileIdentities identities) : IFile
{
    public string Path => path;

    public SafeFileHandle Handle => handle;

    public long Length => RandomAccess.GetLength(handle);

    public int Read(Span<byte> buffer, long position) => RandomAccess.Read(handle, buffer, position);

    public void Write(ReadOnlySpan<byte> bytes, long position) => RandomAccess.Write(handle, bytes, position);

    public void Flush()
    {
        while (LibC.fdatasync(handle) != 0)
        {
            if (Marshal.GetLastPInvokeError() != LibC.Interrupted)
            {
                throw LibC.Error("fdatasync", path);
            }
        }
    }

    public ValueTask FlushAsync(bool beginNow = false) => new(flushThreads.FlushAsync(this, beginNow));

    public ValueTask WriteBackAsync(long position, long length) => new(flushThreads.WriteBackAsync(this, position, length));

    /// <summary>Returns when the range is on the disk; its metadata and the disk's cache may not be flushed.</summary>
    public void WriteBack(long position, long length)
    {
        while (LibC.sync_file_range(handle, position, length, LibC.WriteBackAndWait) != 0)
        {
            if (Marshal.GetLastPInvokeError() != LibC.Interrupted)
            {
                throw LibC.Error("sync_file_range", path);
            }
        }
    }

    public void SetLength(long length) => RandomAccess.SetLength(handle, length);

    public bool Reserve(long length) => LibC.fallocate(handle, LibC.FallocateKeepSize, 0, length) == 0;

    public FileStatus Status() => identities.Of(handle, path);

    public void Dispose() => handle.Dispose();
}
