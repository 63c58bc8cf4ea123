using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// Looks through a data directory at start: which logs are there, and which should be. It finishes the removals that a crash cut
/// short, and touches nothing else: what only looks like a log of ours may be someone's notes.
/// </summary>
internal sealed class LogSearch(
    IFileSystem files, string path, IReadOnlyDictionary<string, KnownTopic> topics, bool knowsAll, Random random, ILogger logger)
{
    /// <summary>The logs to open.</summary>
    public List<FoundLog> Found { get; } = [];

    /// <summary>What should be opened and cannot.</summary>
    public List<OfflineLog> Offline { get; } = [];

    public void Run()
    {
        foreach (DirectoryEntry entry in files.List(path))
        {
            if (entry.IsDirectory && entry.Name != DataDirectory.MetadataTopic + "-0")
            {
                Look(entry.Name);
            }
        }
        FindMissing();
        // What is found is relied on from here on, and the process that wrote it may have been killed before it flushed it: once for all
        // logs, since five thousand of them flushed one by one take half a minute.
        HashSet<string?> flushed = [files.Stat(path)?.FileSystem];
        files.FlushAll(path);
        foreach (FoundLog log in Found)
        {
            if (flushed.Add(files.Stat(log.Directory)?.FileSystem))
            {
                files.FlushAll(log.Directory); // mounted there, or a link to another disk
            }
        }
    }

    private void Look(string name)
    {
        string directory = path + "/" + name;
        if (LogDirectories.IsDoomed(name))
        {
            Remove(directory);
        }
        else if (LogDirectories.TryParse(name, out string topic, out int partition))
        {
            Look(directory, topic, partition);
        }
        else if (LogDirectories.LooksDoomed(name))
        {
            Log.LeftAlone(logger, directory);
        }
    }

    private void Look(string directory, string topic, int partition)
    {
        KnownTopic? known = topics.GetValueOrDefault(topic);
        try
        {
            Guid? id = LogDirectories.TopicIdOf(files, directory, out string? damage);
            bool hasSegment = LogDirectories.HasSegment(files.List(directory));
            if (known is { IsGone: true } gone && id is { } own && own != gone.Id)
            {
                known = null; // of a topic that was created under the name of one that is gone
            }
            if (known is not null && (id ?? known.Id) == known.Id && MustGo(directory, partition, hasSegment, known))
            {
                Remove(directory);
            }
            else if (known is null && knowsAll && id is null && hasSegment && LogDirectories.IsEmpty(files, directory))
            {
                Remove(directory); // of a topic whose creation a crash cut short before the metadata log named it: it never took a record
            }
            else if (!hasSegment)
            {
                LookAtHalf(directory, topic, partition, id, known);
            }
            else if (known is null && damage is not null)
            {
                Offline.Add(new OfflineLog(topic, Guid.Empty, partition, directory, damage));
            }
            else if (known is not null && id is { } other && other != known.Id)
            {
                string reason = $"{directory} belongs to topic id {Uuid.Format(other)}, but the topic's is {Uuid.Format(known.Id)}.";
                Offline.Add(new OfflineLog(topic, known.Id, partition, null, reason));
            }
            else
            {
                Find(directory, topic, partition, id ?? known?.Id, damage, hasFile: id is not null);
            }
        }
        catch (IOException e)
        {
            Offline.Add(new OfflineLog(topic, known?.Id ?? Guid.Empty, partition, directory, e.Message));
        }
    }

    // Apache Kafka before 2.8 wrote no id: such a log gets one.
    private void Find(string directory, string topic, int partition, Guid? id, string? damage, bool hasFile)
    {
        Guid topicId = id ?? Uuid.Next(random);
        if (!hasFile)
        {
            Log.MetadataMadeAnew(logger, directory, damage ?? "missing", topicId);
            LogDirectories.WriteTopicId(files, directory, topicId);
        }
        Found.Add(new FoundLog(directory, topic, topicId, partition));
    }

    // The topic's creation or deletion was cut short; or partitions were being added, which never took a record.
    private bool MustGo(string directory, int partition, bool hasSegment, KnownTopic known) => partition < known.Partitions
        ? known.IsGone
        : hasSegment && LogDirectories.IsEmpty(files, directory);

    // A directory without a segment: a log whose files are gone, or not ours.
    private void LookAtHalf(string directory, string topic, int partition, Guid? id, KnownTopic? known)
    {
        if (known is null || partition >= known.Partitions)
        {
            Log.LeftAlone(logger, directory);
            return;
        }
        string reason = $"{directory} holds no segment: its files are gone. Restore them, or delete the topic.";
        Offline.Add(new OfflineLog(topic, known.Id, partition, (id ?? known.Id) == known.Id ? directory : null, reason));
    }

    private void FindMissing()
    {
        var seen = new HashSet<(string, int)>(Found.Select(static log => (log.Topic, log.Partition)));
        seen.UnionWith(Offline.Select(static log => (log.Topic, log.Partition)));
        foreach ((string topic, KnownTopic known) in topics.Where(static topic => !topic.Value.IsGone))
        {
            for (int partition = 0; partition < known.Partitions; partition++)
            {
                if (!seen.Contains((topic, partition)))
                {
                    string directory = LogDirectories.PathOf(path, topic, partition);
                    Offline.Add(new OfflineLog(topic, known.Id, partition, null, $"{directory} is gone. Restore it, or delete the topic."));
                }
            }
        }
    }

    private void Remove(string directory)
    {
        if (!LogDirectories.Remove(files, directory))
        {
            Log.LeftAlone(logger, directory);
        }
    }
}
