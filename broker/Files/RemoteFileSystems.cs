using LogPipeline.Files.Linux;

namespace LogPipeline.Files;

/// <summary>File systems that others may write to, so that this kernel does not see each change and inotify does not tell it.</summary>
public static unsafe class RemoteFileSystems
{
    // f_type of statfs(2), from linux/magic.h: NFS, SMB, CIFS, FUSE, 9P, Ceph, AFS, GFS2, OCFS2, VirtualBox.
    private static readonly HashSet<uint> s_types =
        [0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x65735546, 0x01021997, 0x00c36400, 0x5346414f, 0x6b414653, 0x01161970, 0x7461636f, 0x786f4256];

    /// <summary>Whether a path lies on one; false where that cannot be told.</summary>
    public static bool Holds(string path)
    {
        StatfsBuffer status;
        return LibC.statfs(path, &status) == 0 && s_types.Contains((uint)status.Type);
    }
}
