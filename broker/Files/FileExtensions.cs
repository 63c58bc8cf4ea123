namespace LogPipeline.Files;

/// <summary>What every reader of an <see cref="IFile"/> needs.</summary>
public static class FileExtensions
{
    /// <summary>Reads until <paramref name="buffer"/> is full or the file ends.</summary>
    /// <returns>Bytes read.</returns>
    public static int ReadFully(this IFile file, Span<byte> buffer, long position)
    {
        ArgumentNullException.ThrowIfNull(file);
        int done = 0;
        while (done < buffer.Length)
        {
            int got = file.Read(buffer[done..], position + done);
            if (got == 0)
            {
                break;
            }
            done += got;
        }
        return done;
    }

    /// <summary>Whether the disk refused because it (or the quota) is full; space may come back.</summary>
    public static bool IsDiskFull(this IOException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.HResult is DiskFull or QuotaExceeded;
    }

    private const int DiskFull = 28; // ENOSPC
    private const int QuotaExceeded = 122; // EDQUOT
}
