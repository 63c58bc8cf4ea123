namespace LogPipeline.Testing.Files;

/// <summary>What a call through the file seam does.</summary>
public enum FileOperation
{
    Open,
    Stat,
    List,
    CreateDirectory,
    Delete,
    DeleteDirectory,
    Rename,
    FlushDirectory,
    FlushAll,
    Lock,
    Read,
    Write,
    Flush,
    WriteBack,
    SetLength,
    Reserve,
}

/// <summary>One call through the file seam, as a hook sees it.</summary>
/// <param name="Operation">What it does.</param>
/// <param name="Path">The path, the one a file was opened by; a rename's source.</param>
/// <param name="Position">Where in the file, for reads, writes and write-backs.</param>
/// <param name="Length">Bytes, for reads, writes and write-backs; the new length for SetLength and Reserve.</param>
public readonly record struct FileCall(FileOperation Operation, string Path, long Position = 0, long Length = 0);
