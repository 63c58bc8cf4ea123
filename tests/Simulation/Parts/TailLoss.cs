using LogPipeline.Files;
using LogPipeline.Simulation.Checks;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Parts;

/// <summary>Takes the end of a partition's log from the broker's disk, acked or not, as an unclean election or a lost page cache does.</summary>
internal static class TailLoss
{
    /// <remarks>Also what our broker would notice it by, which Kafka does away with itself: our broker would refuse to start.</remarks>
    /// <returns>The offset that is lost with all that follow; null when there was nothing to lose.</returns>
    public static long? Cut(MemoryDisk disk, string data, string partition, Random random)
    {
        var files = new MemoryFileSystem(disk);
        string directory = $"{data}/{partition}";
        DirectoryEntry? newest = files.DirectoryExists(directory)
            ? files.List(directory).Where(static entry => entry.Name.EndsWith(".log", StringComparison.Ordinal)).LastOrDefault()
            : null;
        if (newest?.Name is not { } name)
        {
            return null;
        }
        using IFile file = files.Open($"{directory}/{name}", FileOpenMode.ReadWrite);
        List<StoredBatch> batches = TopicReader.Read(file);
        if (batches.Count == 0)
        {
            return null;
        }
        int kept = random.Next(Math.Max(0, batches.Count - 10), batches.Count);
        file.SetLength(batches.Take(kept).Sum(static batch => batch.Header.SizeInBytes));
        file.Flush();
        long lost = batches[kept].Header.BaseOffset;
        ForgetProducersBeyond(files, directory, lost);
        files.Delete($"{data}/{OffsetCheckpoint.RecoveryPoint}");
        files.FlushDirectory(data);
        return lost;
    }

    // A snapshot of producers says that the log was there up to its offset; Kafka deletes those beyond the end of the log.
    private static void ForgetProducersBeyond(MemoryFileSystem files, string directory, long end)
    {
        foreach (long offset in ProducerSnapshots.List(files, directory).Where(offset => offset > end))
        {
            files.Delete(SegmentFileName.Of(directory, offset, SegmentFileName.Snapshot));
        }
        files.FlushDirectory(directory);
    }
}
