using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Files.Linux;

/// <summary>statx(2) and statfs(2) as <see cref="FileStatus"/>. The file system is named by f_fsid, which ext4, XFS and btrfs
/// derive from the file system's UUID or device; where it is 0, by the device number.</summary>
internal sealed unsafe class FileIdentities
{
    /// <summary>How long the answer about a mount is good: long enough for a look at thousands of files, and too short for another volume in its place.</summary>
    private static readonly TimeSpan KnownFor = TimeSpan.FromMilliseconds(100);

    // The mount asked for last, since one agent's files mostly share it and status is asked often. Replaced whole.
    private KnownMount _known = new(0, 0, 0, 0, "", 0);

    public FileStatus Of(SafeFileHandle handle, string path)
    {
        StatxBuffer status;
        if (LibC.statx(handle, "", LibC.AtEmptyPath, StatxBuffer.BasicAndBirth | StatxBuffer.MountId, &status) != 0)
        {
            throw LibC.Error("stat", path);
        }
        if (Known(status) is string known)
        {
            return Convert(status, known);
        }
        StatfsBuffer fileSystem;
        return LibC.fstatfs(handle, &fileSystem) == 0 ? Convert(status, Note(status, fileSystem)) : throw LibC.Error("stat", path);
    }

    public FileStatus? Of(string path)
    {
        StatxBuffer status;
        if (LibC.statx(LibC.AtFdCwd, path, 0, StatxBuffer.BasicAndBirth | StatxBuffer.MountId, &status) != 0)
        {
            return Missing(path);
        }
        if (Known(status) is string known)
        {
            return Convert(status, known);
        }
        StatfsBuffer fileSystem;
        return LibC.statfs(path, &fileSystem) == 0 ? Convert(status, Note(status, fileSystem)) : Missing(path);
    }

    private static FileStatus? Missing(string path) =>
        Marshal.GetLastPInvokeError() is LibC.NoEntry or LibC.NotDirectory ? null : throw LibC.Error("stat", path);

    private static FileStatus Convert(in StatxBuffer status, string fileSystem) => new(
        fileSystem,
        status.Inode,
        status.HasBirthTime ? Nanoseconds(status.BirthSeconds, status.BirthNanoseconds) : 0,
        (long)status.Size,
        Nanoseconds(status.ModifiedSeconds, status.ModifiedNanoseconds),
        status.Kind,
        status.Links);

    /// <summary>The name of the file system if it was asked for just now; null when it is to be asked for.</summary>
    private string? Known(in StatxBuffer status)
    {
        KnownMount known = Volatile.Read(ref _known);
        return status.HasMount && known.Mount == status.Mount && known.DeviceMajor == status.DeviceMajor && known.DeviceMinor == status.DeviceMinor
            && known.Name.Length > 0 && TimeProvider.System.GetElapsedTime(known.AskedAt) < KnownFor ? known.Name : null;
    }

    private string Note(in StatxBuffer status, in StatfsBuffer fileSystem)
    {
        ulong id = fileSystem.FileSystemId;
        KnownMount last = Volatile.Read(ref _known);
        string name = id == 0 ? $"dev-{status.DeviceMajor}-{status.DeviceMinor}" : last.Id == id ? last.Name : id.ToString("x16", null);
        Volatile.Write(ref _known, new KnownMount(status.Mount, status.DeviceMajor, status.DeviceMinor, id, name, TimeProvider.System.GetTimestamp()));
        return name;
    }

    private static long Nanoseconds(long seconds, uint nanoseconds) => (seconds * 1_000_000_000) + nanoseconds;

    /// <summary>A mount and the file system that was found there.</summary>
    private sealed record KnownMount(ulong Mount, uint DeviceMajor, uint DeviceMinor, ulong Id, string Name, long AskedAt);
}
