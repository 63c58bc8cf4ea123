using LogPipeline.Files;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Testing.Files;

/// <summary>One process's open file on a <see cref="MemoryDisk"/>.</summary>
internal sealed class MemoryFile(MemoryFileSystem owner, MemoryContent content, string path, bool writable) : IFile
{
    private readonly MemoryDisk _disk = owner.Disk;
    private bool _disposed;

    public string Path => path;

    public SafeFileHandle? Handle => null;

    public long Length
    {
        get
        {
            owner.RequireAlive();
            lock (_disk.Gate)
            {
                return content.Length;
            }
        }
    }

    public int Read(Span<byte> buffer, long position)
    {
        var call = new FileCall(FileOperation.Read, path, position, buffer.Length);
        Begin(call);
        int count;
        lock (_disk.Gate)
        {
            count = content.Read(buffer, position);
        }
        owner.Leave(call);
        return count;
    }

    public void Write(ReadOnlySpan<byte> bytes, long position)
    {
        var call = new FileCall(FileOperation.Write, path, position, bytes.Length);
        Begin(call);
        RequireWritable();
        int fits;
        lock (_disk.Gate)
        {
            long room = Math.Max(0, _disk.Capacity - _disk.UsedBytes);
            long growth = Math.Max(0, position + bytes.Length - content.Length);
            fits = growth <= room ? bytes.Length : (int)Math.Max(0, bytes.Length - (growth - room));
            if (fits > 0)
            {
                long before = content.Length;
                content.Write(bytes[..fits], position);
                content.ModifiedTime = _disk.Now;
                _disk.UsedBytes += content.Length - before;
            }
        }
        owner.Leave(call);
        if (fits < bytes.Length)
        {
            throw new IOException($"write {path}: no space left on device", hresult: 28);
        }
    }

    public void Flush()
    {
        var call = new FileCall(FileOperation.Flush, path);
        Begin(call);
        lock (_disk.Gate)
        {
            content.Flush(content.Mark());
        }
        owner.Leave(call);
    }

    public ValueTask WriteBackAsync(long position, long length)
    {
        var call = new FileCall(FileOperation.WriteBack, path, position, length);
        Begin(call);
        owner.Leave(call);
        return ValueTask.CompletedTask; // whether any of it outlives a power cut is left to chance, as for all that is not flushed
    }

    public ValueTask FlushAsync(bool beginNow = false)
    {
        if (owner.FlushDelay is null)
        {
            Flush();
            return ValueTask.CompletedTask;
        }
        return new ValueTask(FlushLaterAsync(owner.FlushDelay));
    }

    // Durable is what was written before the call, as with fdatasync; what comes during it may be lost.
    private async Task FlushLaterAsync(Func<FileCall, Task> delay)
    {
        var call = new FileCall(FileOperation.Flush, path);
        Begin(call);
        (long, int) mark;
        lock (_disk.Gate)
        {
            mark = content.Mark();
        }
        await delay(call);
        owner.RequireAlive();
        lock (_disk.Gate)
        {
            content.Flush(mark);
        }
        owner.Leave(call);
    }

    public void SetLength(long length)
    {
        var call = new FileCall(FileOperation.SetLength, path, 0, length);
        Begin(call);
        RequireWritable();
        lock (_disk.Gate)
        {
            _disk.UsedBytes += length - content.Length;
            content.SetLength(length);
            content.ModifiedTime = _disk.Now;
        }
        owner.Leave(call);
    }

    public bool Reserve(long length)
    {
        var call = new FileCall(FileOperation.Reserve, path, 0, length);
        Begin(call);
        bool fits;
        lock (_disk.Gate)
        {
            fits = length - content.Length <= _disk.Capacity - _disk.UsedBytes;
        }
        owner.Leave(call);
        return fits;
    }

    public FileStatus Status()
    {
        var call = new FileCall(FileOperation.Stat, path);
        Begin(call);
        FileStatus status = owner.StatusOf(content, Path);
        owner.Leave(call);
        return status;
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        if (owner.IsAlive)
        {
            lock (_disk.Gate)
            {
                owner.Closed(content);
            }
        }
    }

    private void Begin(FileCall call)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        owner.Enter(call);
    }

    private void RequireWritable()
    {
        if (!writable)
        {
            throw new IOException($"{path} was opened to be read only");
        }
    }
}
