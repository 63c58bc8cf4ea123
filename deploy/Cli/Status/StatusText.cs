using System.Globalization;
using System.Text.Json;
using LogPipeline.Cli.Printing;
using LogPipeline.Agent.Status;

namespace LogPipeline.Cli.Status;

/// <summary>Shows the status of a process to people and to scripts.</summary>
internal static class StatusText
{
    /// <summary>Partitions that are listed; of more only how many there are is told.</summary>
    private const int PartitionsMax = 20;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary>Writes a table of the parts and one of the partitions that sinks have not stored up to their ends.</summary>
    /// <param name="width">Columns of the screen: lines that are longer are cut.</param>
    public static void Write(NodeStatus status, TextWriter to, int width)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var parts = new TextTable("PART", "STATE", "WORK");
        foreach (PartStatus part in status.Parts)
        {
            parts.Add(part.Part, part.State, part.Work);
        }
        parts.Print(text);
        List<PartitionStatus> behind = [.. status.Partitions.Where(static partition => partition.LagRecords is not 0 || partition.LagSeconds > 0)];
        if (behind.Count > 0)
        {
            text.WriteLine();
            var partitions = new TextTable("SINK", "TOPIC", "PARTITION", "RECORDS BEHIND", "OLDEST");
            foreach (PartitionStatus partition in behind.Take(PartitionsMax))
            {
                partitions.Add(partition.Sink, partition.Topic, partition.Partition, partition.LagRecords,
                    partition.LagSeconds > 0 ? ShortTime.Brief(TimeSpan.FromSeconds(partition.LagSeconds)) : null);
            }
            partitions.Print(text);
            if (behind.Count > PartitionsMax)
            {
                text.WriteLine($"and {behind.Count - PartitionsMax} more");
            }
        }
        foreach (string line in text.ToString().TrimEnd('\n').Split('\n'))
        {
            to.WriteLine(line.Length <= width ? line : $"{line[..(width - 1)]}…");
        }
    }

    /// <summary>Writes one object, on one line.</summary>
    public static void WriteJson(NodeStatus status, TextWriter to) =>
        to.WriteLine(JsonSerializer.Serialize(new { status.IsWell, status.Parts, status.Partitions }, Options));
}
