using System.Globalization;
using LogPipeline.Files;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>A partition's directory and what its name and partition.metadata say.</summary>
internal sealed record FoundLog(string Directory, string Topic, Guid TopicId, int Partition);

/// <summary>
/// The partitions' directories, named topic-partition. partition.metadata completes the making of one:
/// <code>
/// version: 0
/// topic_id: 22 characters
/// </code>
/// </summary>
internal static class LogDirectories
{
    private const string MetadataName = "partition.metadata";
    private const string DoomedSuffix = "-delete";
    private const int NameLengthMax = 255;

    public static string PathOf(string directory, string topic, int partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{directory}/{topic}-{partition}");

    /// <summary>The name under which a log waits for its removal; always the same, so that a removal can be gone on with.</summary>
    public static string DoomedPathOf(string directory, string topic, Guid topicId, int partition)
    {
        string suffix = $".{topicId:N}{DoomedSuffix}";
        string name = string.Create(CultureInfo.InvariantCulture, $"{topic}-{partition}");
        return directory + "/" + name[..Math.Min(name.Length, NameLengthMax - suffix.Length)] + suffix;
    }

    public static void Make(IFileSystem files, string directory, Guid topicId)
    {
        files.CreateDirectory(directory);
        Properties.Write(files, directory + "/" + MetadataName, "version: 0", $"topic_id: {Uuid.Format(topicId)}");
    }

    /// <summary>Finds the logs; finishes removals and drops what a crash left of a making.</summary>
    public static List<FoundLog> Find(IFileSystem files, string path, Random random)
    {
        var found = new List<FoundLog>();
        foreach (DirectoryEntry entry in files.List(path))
        {
            string directory = path + "/" + entry.Name;
            if (!entry.IsDirectory)
            {
                DeleteTemporary(files, directory);
            }
            else if (entry.Name.EndsWith(DoomedSuffix, StringComparison.Ordinal))
            {
                files.DeleteDirectory(directory);
            }
            else if (TryParse(entry.Name, out string topic, out int partition))
            {
                if (TopicIdOf(files, directory, random) is { } topicId)
                {
                    found.Add(new FoundLog(directory, topic, topicId, partition));
                }
                else
                {
                    files.DeleteDirectory(directory);
                }
            }
        }
        files.FlushDirectory(path);
        return found;
    }

    // Null when the directory was never completed. Logs of Kafka before 2.8 have no id; they get one.
    private static Guid? TopicIdOf(IFileSystem files, string directory, Random random)
    {
        string path = directory + "/" + MetadataName;
        bool hasLog = files.List(directory).Any(static entry => SegmentFileName.TryParse(entry.Name, SegmentFileName.Log, out _));
        if (Properties.Read(files, path) is { } properties)
        {
            if (!hasLog)
            {
                // A crash may have come between its writing and its being durable; a log that outlived it would get another id.
                files.FlushDirectory(directory);
            }
            return Uuid.Parse(properties.GetValueOrDefault("topic_id") ?? "", path);
        }
        if (!hasLog)
        {
            return null;
        }
        Guid topicId = Uuid.Next(random);
        Make(files, directory, topicId);
        return topicId;
    }

    private static void DeleteTemporary(IFileSystem files, string path)
    {
        if (path.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal))
        {
            files.Delete(path);
        }
    }

    private static bool TryParse(string name, out string topic, out int partition)
    {
        int dash = name.LastIndexOf('-');
        topic = dash > 0 ? name[..dash] : "";
        partition = -1;
        return dash > 0 && int.TryParse(name.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out partition);
    }
}
