using System.Text.Json;
using LogPipeline.Cli.Printing;
using LogPipeline.Agent.Status;
using LogPipeline.Hosting;

namespace LogPipeline.Cli.Status;

/// <summary>Shows the status of a process to people and to scripts.</summary>
internal static class StatusText
{
    /// <summary>Partitions that are listed; of more only how many there are is told.</summary>
    private const int PartitionsMax = 20;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary>Writes a table of the parts and one of the partitions that sinks have not stored up to their ends.</summary>
    /// <param name="width">Columns of the screen: a state for which the table has no room stands below it. Nothing is cut.</param>
    public static void Write(NodeStatus status, TextWriter to, int width)
    {
        WriteParts([.. status.Parts], to, width);
        List<PartitionStatus> behind = [.. status.Partitions.Where(static partition => partition.LagRecords is not 0 || partition.LagSeconds > 0)];
        if (behind.Count > 0)
        {
            to.WriteLine();
            var partitions = new TextTable("SINK", "TOPIC", "PARTITION", "RECORDS BEHIND", "OLDEST");
            foreach (PartitionStatus partition in behind.Take(PartitionsMax))
            {
                partitions.Add(partition.Sink, partition.Topic, partition.Partition, partition.LagRecords,
                    partition.LagSeconds > 0 ? ShortTime.Brief(TimeSpan.FromSeconds(partition.LagSeconds)) : null);
            }
            partitions.Print(to);
            if (behind.Count > PartitionsMax)
            {
                to.WriteLine($"and {behind.Count - PartitionsMax} more");
            }
        }
    }

    private static void WriteParts(PartStatus[] parts, TextWriter to, int width)
    {
        const string elsewhere = "see below";
        int others = parts.Select(static part => ScreenText.Width(part.Part)).DefaultIfEmpty().Max()
            + parts.Select(static part => ScreenText.Width(part.Work)).DefaultIfEmpty().Max() + 4; // with the gaps
        int room = Math.Max(elsewhere.Length, width - others);
        var table = new TextTable("PART", "STATE", "WORK");
        foreach (PartStatus part in parts)
        {
            table.Add(part.Part, ScreenText.Width(part.State) <= room ? part.State : elsewhere, part.Work);
        }
        table.Print(to);
        foreach (PartStatus part in parts.Where(part => ScreenText.Width(part.State) > room))
        {
            to.WriteLine($"{part.Part}: {ControlCharacters.Show(part.State)}");
        }
    }

    /// <summary>Writes one object, on one line.</summary>
    public static void WriteJson(NodeStatus status, TextWriter to) =>
        to.WriteLine(JsonSerializer.Serialize(new { status.IsWell, status.Parts, status.Partitions }, Options));
}
