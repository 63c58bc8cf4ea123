using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Files.Linux;

/// <summary>The system calls that the class library does not offer; the caller turns -1 into an exception with <see cref="Error"/>.</summary>
internal static unsafe partial class LibC
{
    public const int AtFdCwd = -100;
    public const int AtEmptyPath = 0x1000;
    public const int AtSymlinkNoFollow = 0x100;
    public const int OpenReadOnly = 0;
    public const int OpenCloseOnExec = 0x80000;
    public const int FallocateKeepSize = 1;
    public const int OpenFileLockSet = 37; // F_OFD_SETLK: excludes other opens in this process too, and Java's fcntl locks.
    public const int ResourceOpenFiles = 7; // RLIMIT_NOFILE
    public const uint WriteBackAndWait = 7; // SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER
    public const int Interrupted = 4;
    public const int DirectoryMode = 0x1ff; // 0777, less the umask
    public const int NoEntry = 2;
    public const int Exists = 17;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int NotDirectory = 20;
    public const int NoSpace = 28;
    private const int PathMax = 4096; // PATH_MAX, which realpath(3) needs room for

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sync_file_range(SafeFileHandle file, long position, long length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int syncfs(SafeFileHandle anyFile);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, ulong* softAndHard);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial int mkdir(string path, int mode);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial int unlink(string path);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial nint opendir(string path);

    [LibraryImport("libc", SetLastError = true)]
    public static partial byte* readdir(nint directory);

    [LibraryImport("libc")]
    public static partial int closedir(nint directory);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fallocate(SafeFileHandle file, int mode, long position, long length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(SafeFileHandle file, int command, FileLock* description);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial int statx(int directory, string path, int flags, uint mask, StatxBuffer* status);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial int statx(SafeFileHandle file, string path, int flags, uint mask, StatxBuffer* status);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    public static partial int statfs(string path, StatfsBuffer* status);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fstatfs(SafeFileHandle file, StatfsBuffer* status);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    private static partial byte* realpath(string path, byte* resolved);

    /// <summary>The path with every link resolved; null when nothing is there.</summary>
    public static string? RealPath(string path)
    {
        byte* resolved = stackalloc byte[PathMax];
        return realpath(path, resolved) != null ? PathText.Decode(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(resolved))
            : Marshal.GetLastPInvokeError() is NoEntry or NotDirectory ? null : throw Error("realpath", path);
    }

    /// <summary>The most files and sockets that this process may have open: the soft RLIMIT_NOFILE.</summary>
    public static long HandlesMax()
    {
        ulong* softAndHard = stackalloc ulong[2];
        return getrlimit(ResourceOpenFiles, softAndHard) == 0 ? (long)Math.Min(softAndHard[0], long.MaxValue) : throw Error("getrlimit", "RLIMIT_NOFILE");
    }

    /// <summary>The exception for the last error of a call on <paramref name="path"/>; HResult is errno, as the class library does it.</summary>
    public static IOException Error(string call, string path)
    {
        int errno = Marshal.GetLastPInvokeError();
        string message = $"{call} {path}: {Marshal.GetPInvokeErrorMessage(errno)}";
        return errno == NoEntry ? new FileNotFoundException(message, path) : new IOException(message, errno);
    }
}

/// <summary>struct flock of a 64-bit Linux.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct FileLock
{
    public const short Write = 1;

    [FieldOffset(0)] public short Type;
    [FieldOffset(2)] public short Whence;
    [FieldOffset(8)] public long Start;
    [FieldOffset(16)] public long Length; // 0 = to the end, whatever that becomes
}

/// <summary>struct statx, the fields used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct StatxBuffer
{
    public const uint BasicAndBirth = 0x7ff | 0x800;
    public const uint MountId = 0x1000;

    [FieldOffset(0)] public uint Mask;
    [FieldOffset(16)] public uint Links;
    [FieldOffset(28)] public ushort Mode;
    [FieldOffset(32)] public ulong Inode;
    [FieldOffset(40)] public ulong Size;
    [FieldOffset(80)] public long BirthSeconds;
    [FieldOffset(88)] public uint BirthNanoseconds;
    [FieldOffset(112)] public long ModifiedSeconds;
    [FieldOffset(120)] public uint ModifiedNanoseconds;
    [FieldOffset(136)] public uint DeviceMajor;
    [FieldOffset(140)] public uint DeviceMinor;
    [FieldOffset(144)] public ulong Mount;

    public readonly bool HasBirthTime => (Mask & 0x800) != 0;

    /// <summary>Whether the kernel tells the mount, as Linux does since 5.8.</summary>
    public readonly bool HasMount => (Mask & MountId) != 0;

    /// <summary>Whether this is a symbolic link, which shows only where links are not followed.</summary>
    public readonly bool IsLink => (Mode & 0xf000) == 0xa000;

    public readonly FileKind Kind => (Mode & 0xf000) switch
    {
        0x8000 => FileKind.Regular,
        0x4000 => FileKind.Directory,
        _ => FileKind.Other,
    };
}

/// <summary>struct statfs of a 64-bit Linux, the fields used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct StatfsBuffer
{
    [FieldOffset(0)] public long Type;
    [FieldOffset(8)] public long BlockSize;
    [FieldOffset(16)] public long Blocks;
    [FieldOffset(32)] public long BlocksAvailable;
    [FieldOffset(56)] public ulong FileSystemId;
}
