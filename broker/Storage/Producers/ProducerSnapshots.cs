using LogPipeline.Files;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Producers;

/// <summary>The snapshot files of a partition's directory.</summary>
internal static class ProducerSnapshots
{
    /// <summary>Their offsets, ascending.</summary>
    public static List<long> List(IFileSystem files, string directory)
    {
        var offsets = new List<long>();
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (SegmentFileName.TryParse(entry.Name, SegmentFileName.Snapshot, out long offset))
            {
                offsets.Add(offset);
            }
        }
        return offsets;
    }

    /// <summary>Removes what a newer snapshot replaces: all but it and those at segments' begins.</summary>
    public static void RemoveBefore(IFileSystem files, string directory, long newest, IReadOnlyList<LogSegment> segments)
    {
        foreach (long offset in List(files, directory))
        {
            if (offset < newest && !segments.Any(segment => segment.BaseOffset == offset))
            {
                files.Delete(SegmentFileName.Of(directory, offset, SegmentFileName.Snapshot));
            }
        }
    }
}
