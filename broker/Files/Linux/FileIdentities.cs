using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Files.Linux;

/// <summary>statx(2) and statfs(2) as <see cref="FileStatus"/>. The file system is named by f_fsid, which ext4, XFS and btrfs
/// derive from the file system's UUID or device; where it is 0, by the device number.</summary>
internal sealed unsafe class FileIdentities
{
    // The name last made, since one agent's files mostly share a file system and status is asked often. Replaced whole.
    private (ulong Id, string Name)[] _name = [(0, "")];

    public FileStatus Of(SafeFileHandle handle, string path)
    {
        StatxBuffer status;
        StatfsBuffer fileSystem;
        if (LibC.statx(handle, "", LibC.AtEmptyPath, StatxBuffer.BasicAndBirth, &status) != 0 || LibC.fstatfs(handle, &fileSystem) != 0)
        {
            throw LibC.Error("stat", path);
        }
        return Convert(in status, fileSystem.FileSystemId);
    }

    public FileStatus? Of(string path)
    {
        StatxBuffer status;
        StatfsBuffer fileSystem;
        if (LibC.statx(LibC.AtFdCwd, path, 0, StatxBuffer.BasicAndBirth, &status) != 0 || LibC.statfs(path, &fileSystem) != 0)
        {
            return Marshal.GetLastPInvokeError() is LibC.NoEntry or LibC.NotDirectory ? null : throw LibC.Error("stat", path);
        }
        return Convert(in status, fileSystem.FileSystemId);
    }

    private FileStatus Convert(in StatxBuffer status, ulong fileSystemId) => new(
        NameOf(fileSystemId, status.DeviceMajor, status.DeviceMinor),
        status.Inode,
        status.HasBirthTime ? Nanoseconds(status.BirthSeconds, status.BirthNanoseconds) : 0,
        (long)status.Size,
        Nanoseconds(status.ModifiedSeconds, status.ModifiedNanoseconds),
        status.Kind,
        status.Links);

    private string NameOf(ulong id, uint major, uint minor)
    {
        if (id == 0)
        {
            return $"dev-{major}-{minor}";
        }
        (ulong Id, string Name)[] last = _name;
        if (last[0].Id != id)
        {
            last = [(id, id.ToString("x16", null))];
            _name = last;
        }
        return last[0].Name;
    }

    private static long Nanoseconds(long seconds, uint nanoseconds) => (seconds * 1_000_000_000) + nanoseconds;
}
