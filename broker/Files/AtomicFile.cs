namespace LogPipeline.Files;

/// <summary>Small files that are replaced whole: after a crash the path holds the old bytes or the new ones, never a mixture.</summary>
public static class AtomicFile
{
    /// <summary>What the temporary's name adds to the path. A reader may delete such files at start.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>Replaces the file at <paramref name="path"/>; content and name are durable on return.</summary>
    /// <exception cref="IOException">The disk refused; the old content stays.</exception>
    public static void Replace(IFileSystem files, string path, ReadOnlySpan<byte> bytes)
    {
        string temporary = path + TemporarySuffix;
        using (IFile file = files.Open(temporary, FileOpenMode.ReadWrite))
        {
            file.SetLength(0);
            file.Write(bytes, 0);
            file.Flush();
        }
        files.Rename(temporary, path);
        files.FlushDirectory(Path.GetDirectoryName(path) ?? "");
    }

    /// <summary>All bytes of the file, or null when it is not there.</summary>
    public static byte[]? ReadAll(IFileSystem files, string path)
    {
        if (!files.FileExists(path))
        {
            return null;
        }
        using IFile file = files.Open(path, FileOpenMode.Read);
        byte[] bytes = new byte[checked((int)file.Length)];
        return file.ReadFully(bytes, 0) == bytes.Length
            ? bytes
            : throw new IOException($"{path} became shorter while it was read.");
    }
}
