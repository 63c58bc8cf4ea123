namespace LogPipeline.Files;

/// <summary>
/// The seam between the product and the disk. Everything that must survive a crash goes through it, so that a test can put a
/// disk behind it that loses what was not synced. Calls are synchronous unless named Async; paths are absolute or relative as
/// the process sees them.
/// </summary>
/// <remarks>
/// Durability: <see cref="IFile.Flush"/> makes a file's bytes and length durable; a created, renamed or deleted name is durable
/// only after <see cref="FlushDirectory"/> of the directory that holds it.
/// </remarks>
public interface IFileSystem
{
    /// <summary>Opens a file. Other processes may read, write, rename and delete it meanwhile.</summary>
    /// <exception cref="FileNotFoundException">The file is not there and <paramref name="mode"/> does not create it.</exception>
    /// <exception cref="IOException">The disk refused; the message names the path.</exception>
    IFile Open(string path, FileOpenMode mode);

    bool FileExists(string path);

    bool DirectoryExists(string path);

    /// <summary>Creates a directory and its parents, and makes their names durable.</summary>
    void CreateDirectory(string path);

    /// <summary>Creates one directory in a parent that is there; its name is durable only after the parent is flushed.</summary>
    void MakeDirectory(string path);

    /// <summary>Deletes a file; no error when it is not there.</summary>
    void Delete(string path);

    /// <summary>Deletes a directory and all in it; no error when it is not there.</summary>
    void DeleteDirectory(string path);

    /// <summary>Renames a file or a directory, replacing a file of that name atomically.</summary>
    void Rename(string from, string to);

    /// <summary>Makes creations, renames and deletions in a directory durable.</summary>
    void FlushDirectory(string path);

    /// <summary>
    /// Makes everything on the file system of <paramref name="path"/> durable, files and names: cheaper than flushing many of them
    /// one by one, but it waits for what other processes wrote there too.
    /// </summary>
    void FlushAll(string path);

    /// <summary>The names in a directory (not their paths), in ordinal order; empty when there is no such directory.</summary>
    IReadOnlyList<DirectoryEntry> List(string path);

    /// <summary>What stat(2) says of a path, links followed; null when nothing is there.</summary>
    FileStatus? Stat(string path);

    /// <summary>The path with every link in it resolved; null when nothing is there.</summary>
    string? RealPath(string path);

    /// <summary>Takes an exclusive lock that ends with the process.</summary>
    /// <exception cref="DirectoryLockedException">Another process holds it.</exception>
    IDisposable Lock(string path);

    /// <summary>Bytes that may still be written on the file system of <paramref name="path"/>.</summary>
    long FreeBytes(string path);

    /// <summary>Size in bytes of the file system of <paramref name="path"/>.</summary>
    long TotalBytes(string path);

    /// <summary>How many more files and sockets this process may open.</summary>
    int FreeHandles();
}

/// <summary>How <see cref="IFileSystem.Open"/> treats a file that is there, or is not.</summary>
public enum FileOpenMode
{
    /// <summary>Read only; the file must be there.</summary>
    Read,

    /// <summary>Read and write; created empty when it is not there.</summary>
    ReadWrite,

    /// <summary>Read and write; the file must not be there.</summary>
    CreateNew,
}

/// <summary>One name in a directory.</summary>
/// <param name="Name">The name, without the directory's path.</param>
/// <param name="IsDirectory">Whether it is a directory, or a link to one.</param>
/// <param name="IsLink">Whether it is a symbolic link.</param>
public readonly record struct DirectoryEntry(string Name, bool IsDirectory, bool IsLink = false);
