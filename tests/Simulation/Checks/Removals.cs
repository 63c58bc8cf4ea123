using System.Globalization;
using LogPipeline.Files;
using LogPipeline.Simulation.Parts;
using LogPipeline.Simulation.Workload;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Checks;

/// <summary>
/// Watches segments being deleted: each must be older than what retention keeps, by the latest time that the broker's clock ever showed.
/// Such records need not arrive, and the log must never begin below them again.
/// </summary>
internal sealed class Removals(Story story)
{
    /// <summary>Whether something was removed in this run.</summary>
    public bool Happened { get; private set; }

    /// <summary>A file of the broker is about to be deleted.</summary>
    public void Deleting(string path)
    {
        string[] names = path.Split('/');
        if (!path.EndsWith(".log", StringComparison.Ordinal) || PartitionOf(names[^2]) is not ({ } topic, var partition))
        {
            return;
        }
        var files = new MemoryFileSystem(story.BrokerHost.Disk);
        if (!files.FileExists(path))
        {
            return;
        }
        using IFile file = files.Open(path, FileOpenMode.Read);
        List<StoredBatch> batches = TopicReader.Read(file);
        if (batches.Count == 0)
        {
            return;
        }
        Happened = true;
        RequireOld(path, file.Status().BirthTime / 1_000_000, batches);
        if (topic == ForeignProducer.Topic)
        {
            story.Foreign.Removed(batches);
            return;
        }
        story.Acks.Removed(partition, batches[^1].Header.NextOffset);
        foreach (TopicLine line in Delivery.LinesOf(partition, batches))
        {
            if (Line.IdAtStartOf(line.Value) is { } id)
            {
                story.Lines[id].WasDeleted = true;
            }
        }
    }

    private void RequireOld(string path, long born, List<StoredBatch> batches)
    {
        Dictionary<string, string> settings = story.Broker.Settings;
        bool byArrival = settings.GetValueOrDefault("log.retention.clock") == "arrival";
        long newest = byArrival ? born : batches.Max(static batch => batch.Header.MaxTimestamp);
        long age = story.BrokerHost.Latest.ToUnixTimeMilliseconds() - newest;
        bool isOld = settings.TryGetValue("log.retention.ms", out string? kept) && age > long.Parse(kept, CultureInfo.InvariantCulture);
        bool isUnknown = byArrival && story.BrokerHost.ClockWentBack; // what came in after the clock was set back is older than the file
        if (!isOld && !isUnknown && !settings.ContainsKey("log.retention.total.bytes"))
        {
            story.World.Fail("only what is not kept is removed", $"{path} was {age} ms old at most when it was removed");
        }
    }

    // Of a topic whose records are counted, and of one that is there: a deleted one's directory has another name.
    private static (string? Topic, int Partition) PartitionOf(string directory)
    {
        int dash = directory.LastIndexOf('-');
        return directory[..Math.Max(0, dash)] is Story.Topic or ForeignProducer.Topic && int.TryParse(directory[(dash + 1)..], CultureInfo.InvariantCulture, out int partition)
            ? (directory[..dash], partition)
            : default;
    }
}
