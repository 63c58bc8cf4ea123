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

    /// <summary>
    /// The newest sound snapshot up to an offset, and the producers in it. Where there is no such snapshot the log's first offset
    /// serves: no producer is known there.
    /// </summary>
    public static (long Offset, ProducerTable Producers) Newest(IFileSystem files, string directory, long firstOffset, long upTo)
    {
        List<long> offsets = List(files, directory);
        for (int i = offsets.Count - 1; i >= 0 && offsets[i] >= firstOffset; i--)
        {
            if (offsets[i] <= upTo
                && ProducerSnapshot.TryRead(files, SegmentFileName.Of(directory, offsets[i], SegmentFileName.Snapshot)) is { } producers)
            {
                return (offsets[i], producers);
            }
        }
        return (firstOffset, new ProducerTable());
    }

    /// <summary>Removes, durably, the snapshots behind an offset.</summary>
    public static void RemoveBeyond(IFileSystem files, string directory, long offset)
    {
        foreach (long beyond in List(files, directory).Where(one => one > offset))
        {
            files.Delete(SegmentFileName.Of(directory, beyond, SegmentFileName.Snapshot));
        }
        files.FlushDirectory(directory);
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
