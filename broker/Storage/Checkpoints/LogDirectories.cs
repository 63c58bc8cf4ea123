using System.Globalization;
using System.Text;
using LogPipeline.Files;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// The names of the partitions' directories, topic-partition, and the file that says whose a directory is, partition.metadata:
/// <code>
/// version: 0
/// topic_id: 22 characters
/// </code>
/// </summary>
internal static class LogDirectories
{
    private const string MetadataName = "partition.metadata";
    private const string DoomedSuffix = "-delete";
    private const int IdDigits = 32;
    private const int NameLengthMax = 255;

    /// <summary>Up to so many directories are flushed one by one; for more the whole file system is, once.</summary>
    private const int FlushedSinglyMax = 8;

    private static readonly string[] FileNames = [MetadataName, LeaderEpochs.FileName, LogCuts.FileName, DamagedBatch.FileName];

    private static readonly string[] SegmentSuffixes =
        [SegmentFileName.Log, SegmentFileName.OffsetIndex, SegmentFileName.TimeIndex, SegmentFileName.Snapshot, ".txnindex"];

    public static string PathOf(string directory, string topic, int partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{directory}/{topic}-{partition}");

    /// <summary>The name under which a log waits for its removal; always the same, so that a removal can be gone on with.</summary>
    public static string DoomedPathOf(string directory, string topic, Guid topicId, int partition)
    {
        string suffix = $".{topicId:N}{DoomedSuffix}";
        string name = string.Create(CultureInfo.InvariantCulture, $"{topic}-{partition}");
        return directory + "/" + name[..Math.Min(name.Length, NameLengthMax - suffix.Length)] + suffix;
    }

    /// <summary>Whether a directory's name is one that <see cref="DoomedPathOf"/> makes; Apache Kafka's are alike.</summary>
    public static bool IsDoomed(string name)
    {
        int dot = name.Length - DoomedSuffix.Length - IdDigits - 1;
        return dot > 0
            && name[dot] == '.'
            && name.EndsWith(DoomedSuffix, StringComparison.Ordinal)
            && Guid.TryParseExact(name.AsSpan(dot + 1, IdDigits), "N", out _);
    }

    /// <summary>Whether a name looks like that of a directory that waits for its removal.</summary>
    public static bool LooksDoomed(string name) => name.EndsWith(DoomedSuffix, StringComparison.Ordinal);

    public static bool TryParse(string name, out string topic, out int partition)
    {
        int dash = name.LastIndexOf('-');
        topic = dash > 0 ? name[..dash] : "";
        partition = -1;
        return dash > 0 && int.TryParse(name.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out partition);
    }

    /// <summary>Makes a directory with its partition.metadata; durable only after <see cref="Flush"/>.</summary>
    public static void Make(IFileSystem files, string directory, Guid topicId)
    {
        files.MakeDirectory(directory);
        using IFile file = files.Open(directory + "/" + MetadataName, FileOpenMode.ReadWrite);
        file.SetLength(0);
        file.Write(Encoding.UTF8.GetBytes(MetadataOf(topicId)), 0);
    }

    /// <summary>Makes new directories durable with the names in them and their partition.metadata.</summary>
    public static void Flush(IFileSystem files, string parent, IReadOnlyList<string> directories)
    {
        if (directories.Count > FlushedSinglyMax)
        {
            files.FlushAll(parent);
            return;
        }
        foreach (string directory in directories)
        {
            using (IFile file = files.Open(directory + "/" + MetadataName, FileOpenMode.Read))
            {
                file.Flush();
            }
            files.FlushDirectory(directory);
        }
        files.FlushDirectory(parent);
    }

    /// <summary>The topic id in a directory's partition.metadata; null when the file is missing or damaged.</summary>
    public static Guid? TopicIdOf(IFileSystem files, string directory, out string? damage)
    {
        string path = directory + "/" + MetadataName;
        damage = null;
        try
        {
            return Properties.Read(files, path) is { } properties ? Uuid.Parse(properties.GetValueOrDefault("topic_id") ?? "", path) : null;
        }
        catch (InvalidDataException e)
        {
            damage = e.Message;
            return null;
        }
    }

    /// <summary>Replaces a missing or damaged partition.metadata, durably.</summary>
    public static void WriteTopicId(IFileSystem files, string directory, Guid topicId) =>
        AtomicFile.Replace(files, directory + "/" + MetadataName, Encoding.UTF8.GetBytes(MetadataOf(topicId)));

    /// <summary>Removes a log's directory; what in it is not a log's file stays, and the directory with it.</summary>
    /// <returns>Whether the directory is gone.</returns>
    public static bool Remove(IFileSystem files, string directory)
    {
        IReadOnlyList<DirectoryEntry> entries = files.List(directory);
        if (entries.All(IsLogFile))
        {
            files.DeleteDirectory(directory);
            return true;
        }
        foreach (DirectoryEntry entry in entries.Where(IsLogFile))
        {
            files.Delete(directory + "/" + entry.Name);
        }
        return false;
    }

    /// <summary>Whether something lies where a log's directory is to be made, more than half of an earlier making.</summary>
    public static bool IsTaken(IFileSystem files, string directory)
    {
        IReadOnlyList<DirectoryEntry> entries = files.List(directory);
        return HasSegment(entries) || !entries.All(IsLogFile);
    }

    /// <summary>Whether a directory holds a segment.</summary>
    public static bool HasSegment(IReadOnlyList<DirectoryEntry> entries) =>
        entries.Any(static entry => !entry.IsDirectory && SegmentFileName.TryParse(entry.Name, SegmentFileName.Log, out _));

    /// <summary>Whether a directory's segments hold no bytes.</summary>
    public static bool IsEmpty(IFileSystem files, string directory) => files.List(directory)
        .Where(static entry => SegmentFileName.TryParse(entry.Name, SegmentFileName.Log, out _))
        .All(entry => files.Stat(directory + "/" + entry.Name) is null or { Length: 0 });

    private static string MetadataOf(Guid topicId) => $"version: 0\ntopic_id: {Uuid.Format(topicId)}\n";

    private static bool IsLogFile(DirectoryEntry entry)
    {
        string name = entry.Name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal)
            ? entry.Name[..^AtomicFile.TemporarySuffix.Length]
            : entry.Name;
        return !entry.IsDirectory
            && (FileNames.Contains(name) || SegmentSuffixes.Any(suffix => SegmentFileName.TryParse(name, suffix, out _)));
    }
}
