using System.Globalization;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Workload;

namespace LogPipeline.Simulation.Checks;

/// <summary>What a story still waits for that does not drain, for messages.</summary>
internal sealed class DrainReport(Story story)
{
    public string Text()
    {
        var text = new List<string>();
        if (story.Table.Missing(story.Lines) is { } missing)
        {
            text.Add($"line {missing.Id} of {missing.Bytes.Length} bytes is not in the table; {WhereIs(missing)}");
        }
        for (int partition = 0; partition < story.PartitionCount; partition++)
        {
            List<StoredBatch> stored = story.Stored(partition);
            LedgerText(text, partition, story.Acks.EndOf(partition, stored));
        }
        foreach (Part part in story.World.Parts)
        {
            text.Add($"{part.Name} {(part.Life is null ? "is down" : part.Describe?.Invoke() ?? "runs")}");
        }
        return string.Join("; ", text);
    }

    private string WhereIs(Line line)
    {
        for (int partition = 0; partition < story.PartitionCount; partition++)
        {
            foreach (TopicLine found in Delivery.LinesOf(partition, story.Stored(partition)))
            {
                if (found.Value.AsSpan().StartsWith(line.Bytes.AsSpan(0, 7)))
                {
                    return string.Create(CultureInfo.InvariantCulture, $"it is in the topic at {partition}/{found.Offset}, {found.Position}");
                }
            }
        }
        string? file = story.Servers.Select(server => server.Find(line)).FirstOrDefault(static place => place is not null);
        return $"it is not in the topic, but in {file ?? "no file"}; {line.Story}";
    }

    private void LedgerText(List<string> text, int partition, long end)
    {
        long? next = story.LedgerOf(partition);
        string archived = story.Output is null ? "" : string.Create(CultureInfo.InvariantCulture, $", the manifest of files at {story.ManifestOf(partition)}");
        text.Add(string.Create(CultureInfo.InvariantCulture, $"partition {partition}: the log ends at {end}, the ledger is at {next}{archived}"));
    }
}
