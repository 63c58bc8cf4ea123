using LogPipeline.Files;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>
/// What the disk takes when nothing else is in the way: as many files as <see cref="ProduceLoad"/> has partitions of its four, each
/// written by a thread of its own, with one sync for as many batches as a connection has under way.
/// </summary>
internal static class DiskLoad
{
    private const int Files = 4;
    private const int BatchesPerSync = 5;

    /// <summary>Writes about <paramref name="megabytes"/> of batches of that size.</summary>
    /// <returns>Bytes written and synced.</returns>
    public static long Run(int batchBytes, int megabytes)
    {
        string folder = Directory.CreateTempSubdirectory("logpipe-bench-").FullName;
        var disk = new OsFileSystem();
        byte[] batch = ProduceLoad.Batch(batchBytes);
        int syncs = Math.Max(1, (int)(megabytes * 1_000_000L / batch.Length / Files / BatchesPerSync));
        LoadThreads.Run(Files, i => Write(disk, Path.Combine(folder, $"{i}"), batch, syncs));
        Directory.Delete(folder, recursive: true);
        return (long)Files * syncs * BatchesPerSync * batch.Length;
    }

    private static void Write(OsFileSystem disk, string path, byte[] batch, int syncs)
    {
        using IFile file = disk.Open(path, FileOpenMode.CreateNew);
        long end = 0;
        for (int sync = 0; sync < syncs; sync++)
        {
            for (int i = 0; i < BatchesPerSync; i++, end += batch.Length)
            {
                file.Write(batch, end);
            }
            file.Flush();
        }
    }
}
