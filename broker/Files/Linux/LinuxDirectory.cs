using System.Runtime.InteropServices;

namespace LogPipeline.Files.Linux;

/// <summary>
/// Lists a directory by readdir(3), which tells of each name whether it is a file, a directory or a link: the class library asks for the status of
/// each name before it tells a link.
/// </summary>
internal static unsafe class LinuxDirectory
{
    // d_type of struct dirent, which is laid out alike on every 64-bit Linux: inode u64, offset i64, length u16, type u8, name.
    private const int TypeOffset = 18;
    private const int NameOffset = 19;
    private const byte TypeUnknown = 0;
    private const byte TypeDirectory = 4;
    private const byte TypeLink = 10;

    /// <summary>The names in a directory but <c>.</c> and <c>..</c>, in no order; empty when it is not there.</summary>
    /// <exception cref="IOException">It is no directory, or cannot be listed.</exception>
    public static List<DirectoryEntry> List(string path)
    {
        nint directory = LibC.opendir(path);
        if (directory == 0)
        {
            return Marshal.GetLastPInvokeError() is LibC.NoEntry or LibC.NotDirectory ? [] : throw LibC.Error("list", path);
        }
        try
        {
            List<DirectoryEntry> entries = [];
            while (true)
            {
                byte* entry = LibC.readdir(directory);
                if (entry == null)
                {
                    return Marshal.GetLastPInvokeError() == 0 ? entries : throw LibC.Error("list", path);
                }
                string name = PathText.Decode(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset));
                if (name is not ("." or ".."))
                {
                    entries.Add(Of(path, name, entry[TypeOffset]));
                }
            }
        }
        finally
        {
            _ = LibC.closedir(directory);
        }
    }

    /// <summary>A link is what it leads to, and some file systems do not tell what a name is: then its status does.</summary>
    private static DirectoryEntry Of(string directory, string name, byte type)
    {
        if (type is not (TypeLink or TypeUnknown))
        {
            return new DirectoryEntry(name, type == TypeDirectory);
        }
        string path = Path.Combine(directory, name);
        bool isLink = type == TypeLink || TryStat(path, LibC.AtSymlinkNoFollow, out StatxBuffer link) && link.IsLink;
        bool isDirectory = TryStat(path, flags: 0, out StatxBuffer target) && target.Kind == FileKind.Directory;
        return new DirectoryEntry(name, isDirectory, isLink);
    }

    private static bool TryStat(string path, int flags, out StatxBuffer status)
    {
        fixed (StatxBuffer* to = &status)
        {
            return LibC.statx(LibC.AtFdCwd, path, flags, StatxBuffer.BasicAndBirth, to) == 0;
        }
    }
}
