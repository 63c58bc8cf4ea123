using System.Globalization;
using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>Kafka's checkpoints of one offset for each partition: lines "topic partition offset".</summary>
internal static class OffsetCheckpoint
{
    public const string RecoveryPoint = "recovery-point-offset-checkpoint";
    public const string HighWatermark = "replication-offset-checkpoint";
    public const string CleanOffset = "cleaner-offset-checkpoint";
    public const string LogStartOffset = "log-start-offset-checkpoint";

    public static void Write(
        IFileSystem files, string directory, string name, IEnumerable<(string Topic, int Partition, long Offset)> logs) =>
        TextCheckpoint.Write(
            files,
            directory + "/" + name,
            [.. logs.Select(log => string.Create(CultureInfo.InvariantCulture, $"{log.Topic} {log.Partition} {log.Offset}"))]);

    public static Dictionary<(string Topic, int Partition), long> Read(IFileSystem files, string directory, string name)
    {
        var offsets = new Dictionary<(string, int), long>();
        if (name == CleanOffset && files.Stat(directory + "/" + name) is { Length: 0 })
        {
            return offsets; // Apache Kafka makes the file when it starts, and fills it with the first compaction
        }
        foreach (string[] fields in TextCheckpoint.Read(files, directory + "/" + name, numbers: 2, hasTopic: true))
        {
            int partition = (int)long.Parse(fields[1], CultureInfo.InvariantCulture);
            offsets[(fields[0], partition)] = long.Parse(fields[2], CultureInfo.InvariantCulture);
        }
        return offsets;
    }
}
