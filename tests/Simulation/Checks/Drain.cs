using System.Globalization;
using LogPipeline.Files;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Workload;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Checks;

/// <summary>What a story still waits for once nothing new is written.</summary>
internal sealed class Drain(Story story)
{
    /// <summary>Whether every line is where it must be, and the ledgers are at the ends of their logs.</summary>
    public bool IsOver()
    {
        if (!story.Table.HasAll(story.Lines) || story.Sources?.IsEmpty == false
            || (story.Retry is not null && story.Database.Tables.DeadLetters.Exists(static letter => letter.Place is not null)))
        {
            return false;
        }
        var topic = new List<TopicLine>();
        for (int partition = 0; partition < story.PartitionCount; partition++)
        {
            List<StoredBatch> stored = story.Stored(partition);
            topic.AddRange(Delivery.LinesOf(partition, stored));
            long end = story.Acks.EndOf(partition, stored);
            if ((story.LedgerOf(partition) ?? 0) != end || (story.Output is not null && (story.ManifestOf(partition) ?? 0) != end))
            {
                return false;
            }
        }
        return story.IsShorter || HasLeftOut(topic);
    }

    /// <summary>Whether the topic has the lines that the table's sinks leave out, so that nothing waits for them there.</summary>
    private bool HasLeftOut(List<TopicLine> topic)
    {
        List<Line> leftOut = [.. story.Lines.Where(line => line.Least > 0 && story.Filter.MayLack(line))];
        Dictionary<int, int> counted = leftOut.Count == 0 ? [] : Delivery.CountTopic(topic);
        return leftOut.TrueForAll(line => counted.ContainsKey(line.Id));
    }

    /// <summary>What is waited for, for messages.</summary>
    public string Report()
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
        string? file = story.Servers.Select(server => FileOf(server.Machine, line)).FirstOrDefault(static place => place is not null);
        return $"it is not in the topic, but in {file ?? "no file"}; {line.Story}";
    }

    /// <summary>The file in which a line stands now.</summary>
    private static string? FileOf(Machine machine, Line line)
    {
        var files = new MemoryFileSystem(machine.Disk);
        foreach (DirectoryEntry entry in files.List(AppServer.Logs))
        {
            using IFile file = files.Open($"{AppServer.Logs}/{entry.Name}", FileOpenMode.Read);
            byte[] bytes = new byte[file.Length];
            file.Read(bytes, 0);
            bytes = Gzip.IsNamedSo(entry.Name) ? Gzip.Unpack(bytes) : bytes;
            int at = bytes.AsSpan().IndexOf(line.Bytes);
            if (at >= 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{machine.Name}:{AppServer.Logs}/{entry.Name}, byte {at} of {bytes.Length}");
            }
        }
        return null;
    }

    private void LedgerText(List<string> text, int partition, long end)
    {
        long? next = story.LedgerOf(partition);
        string archived = story.Output is null ? "" : string.Create(CultureInfo.InvariantCulture, $", the manifest of files at {story.ManifestOf(partition)}");
        text.Add(string.Create(CultureInfo.InvariantCulture, $"partition {partition}: the log ends at {end}, the ledger is at {next}{archived}"));
    }
}
