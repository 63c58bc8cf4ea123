using LogPipeline.Files;
using LogPipeline.Simulation.Checks;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Parts;

/// <summary>Takes the end of a partition's log from the broker's disk, acked or not, as an unclean election or a lost page cache does.</summary>
internal static class TailLoss
{
    /// <remarks>Also what our broker would notice it by: it would refuse to start, while Kafka goes on.</remarks>
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
        files.Delete($"{data}/{OffsetCheckpoint.RecoveryPoint}");
        files.FlushDirectory(data);
        return batches[kept].Header.BaseOffset;
    }
}
