namespace LogPipeline.Files;

/// <summary>Identity and size of a file.</summary>
/// <param name="FileSystem">Identifies the file system for as long as it is mounted (UUID where known, else the device number).</param>
/// <param name="Inode">The inode number, reused by the file system after deletion.</param>
/// <param name="BirthTime">Nanoseconds since 1970 when the inode was made; 0 where the file system does not say.</param>
/// <param name="Length">Size in bytes.</param>
/// <param name="ModifiedTime">Nanoseconds since 1970.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Links">Hard links; 0 once the last name is gone.</param>
public readonly record struct FileStatus(
    string FileSystem, ulong Inode, long BirthTime, long Length, long ModifiedTime, FileKind Kind, uint Links);

/// <summary>What a name stands for.</summary>
public enum FileKind
{
    Regular,
    Directory,

    /// <summary>A pipe, a socket or a device: opening it may block for ever.</summary>
    Other,
}
