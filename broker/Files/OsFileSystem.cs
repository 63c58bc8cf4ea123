using System.Runtime.InteropServices;
using LogPipeline.Files.Linux;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Files;

/// <summary>The machine's disks (Linux). One instance serves a process: it owns the threads that wait for flushes.</summary>
public sealed class OsFileSystem : IFileSystem
{
    private readonly FlushThreads _flushThreads = new();
    private readonly FileIdentities _identities = new();

    public OsFileSystem()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("LogPipeline's file layer needs Linux: fdatasync, statx and open-file locks.");
        }
    }

    public IFile Open(string path, FileOpenMode mode)
    {
        try
        {
            // Asynchronous changes nothing for pread and pwrite; sendfile through the socket API asks for it.
            SafeFileHandle handle = mode == FileOpenMode.Read && PathText.HasEscapes(path) ? OpenByBytes(path) : File.OpenHandle(
                path,
                mode switch
                {
                    FileOpenMode.Read => FileMode.Open,
                    FileOpenMode.ReadWrite => FileMode.OpenOrCreate,
                    _ => FileMode.CreateNew,
                },
                mode == FileOpenMode.Read ? FileAccess.Read : FileAccess.ReadWrite,
                FileShare.ReadWrite | FileShare.Delete,
                FileOptions.Asynchronous);
            return new LinuxFile(path, handle, _flushThreads, _identities);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new FileNotFoundException(e.Message, path, e);
        }
    }

    public bool FileExists(string path) => File.Exists(path);

    public bool DirectoryExists(string path) => Directory.Exists(path);

    public void CreateDirectory(string path)
    {
        if (path.Length == 0 || Directory.Exists(path))
        {
            return;
        }
        string parent = ParentOf(path);
        CreateDirectory(parent);
        Directory.CreateDirectory(path);
        FlushDirectory(parent);
    }

    public void MakeDirectory(string path)
    {
        if (LibC.mkdir(path, LibC.DirectoryMode) != 0 && Marshal.GetLastPInvokeError() != LibC.Exists)
        {
            throw LibC.Error("mkdir", path);
        }
    }

    public void Delete(string path)
    {
        if (LibC.unlink(path) != 0 && Marshal.GetLastPInvokeError() != LibC.NoEntry)
        {
            throw LibC.Error("delete", path);
        }
    }

    public void DeleteDirectory(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone already, which is what was asked for.
        }
    }

    public void Rename(string from, string to)
    {
        if (LibC.rename(from, to) != 0)
        {
            throw LibC.Error("rename to " + to, from);
        }
    }

    public void FlushDirectory(string path)
    {
        using SafeFileHandle directory = OpenDirectory(path);
        if (LibC.fsync(directory) != 0)
        {
            throw LibC.Error("fsync directory", path);
        }
    }

    public void FlushAll(string path)
    {
        using SafeFileHandle directory = OpenDirectory(path);
        if (LibC.syncfs(directory) != 0)
        {
            throw LibC.Error("syncfs", path);
        }
    }

    public IReadOnlyList<DirectoryEntry> List(string path)
    {
        List<DirectoryEntry> found = LinuxDirectory.List(path);
        found.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return found;
    }

    public FileStatus? Stat(string path) => _identities.Of(path);

    public string? RealPath(string path) => LibC.RealPath(path);

    public IDisposable Lock(string path) => LinuxLock.Take(path);

    public unsafe long FreeBytes(string path)
    {
        StatfsBuffer status;
        return LibC.statfs(path, &status) == 0 ? status.BlocksAvailable * status.BlockSize : throw LibC.Error("statfs", path);
    }

    public unsafe long TotalBytes(string path)
    {
        StatfsBuffer status;
        return LibC.statfs(path, &status) == 0 ? status.Blocks * status.BlockSize : throw LibC.Error("statfs", path);
    }

    public int FreeHandles()
    {
        const string Used = "/proc/self/fd";
        // Without /proc, as in a bare chroot, what is used is not known; a process that starts uses few.
        long used = Directory.Exists(Used) ? Directory.EnumerateFileSystemEntries(Used).LongCount() : 0;
        return (int)Math.Clamp(LibC.HandlesMax() - used, 0, int.MaxValue);
    }

    private static SafeFileHandle OpenDirectory(string path) => OpenByBytes(path.Length == 0 ? "." : path);

    private static SafeFileHandle OpenByBytes(string path)
    {
        int descriptor = LibC.open(path, LibC.OpenReadOnly | LibC.OpenCloseOnExec);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw LibC.Error("open", path);
    }

    private static string ParentOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
}
