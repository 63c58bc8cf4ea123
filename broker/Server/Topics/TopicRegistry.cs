using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Topics;

// The topics being served. _lock serialises creation, changes and deletion (they touch the disk) and guards replacing _index; readers take the
// index as it is. Persists the registry file (TopicFile) before directories appear and marks before they vanish.
/// <summary>Finds, creates, changes and deletes topics.</summary>
internal sealed class TopicRegistry(
    DataDirectory directory, TopicFile file, BrokerSettings settings, Random random, ILogger logger)
{
    // Guarded by _lock: what the disk refused half way. The file keeps them, so that a crash forgets neither.
    private TopicEntry? _halfMade; // the last creation, if it failed
    private readonly Dictionary<string, Topic> _halfDeleted = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private volatile TopicIndex _index = TopicIndex.Empty;

    /// <summary>All topics by name in ordinal order. A snapshot.</summary>
    public IReadOnlyList<Topic> All => _index.All;

    public Topic? Find(string name) => _index.Find(name);

    public Topic? Find(Guid id) => _index.Find(id);

    /// <summary>Raised after a topic is gone, outside the lock.</summary>
    public event Action<Topic>? Deleted;

    /// <summary>Serves what is on disk: finishes creations and deletions that a crash cut short.</summary>
    /// <param name="entries">The registry file's content; null when there was none.</param>
    public void Load(IReadOnlyList<TopicEntry>? entries)
    {
        ILookup<string, PartitionLog> found = directory.Logs.ToLookup(log => log.Topic, StringComparer.Ordinal);
        var topics = new List<Topic>();
        bool changed = entries is null;
        foreach (TopicEntry entry in entries ?? [])
        {
            if (entry.Deleting)
            {
                changed = true; // the data directory has removed what was there
                continue;
            }
            var topicSettings = new TopicSettings(settings, entry.Settings);
            Dictionary<int, PartitionLog> logs = found[entry.Name].Where(log => log.TopicId == entry.Id).ToDictionary(log => log.Partition);
            topics.Add(Assemble(entry.Name, entry.Id, topicSettings, entry.Partitions, logs));
        }
        foreach (IGrouping<string, PartitionLog> logs in found)
        {
            if (!(entries ?? []).Any(entry => entry.Name == logs.Key))
            {
                topics.Add(Adopt(logs));
                changed = true;
            }
        }
        _index = new TopicIndex(topics);
        if (changed)
        {
            Write(topics);
        }
    }

    /// <summary>Creates a topic; durable on return.</summary>
    /// <returns>The topic, and whether it is new: false when the name was taken meanwhile.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    public (Topic Topic, bool Created) Create(string name, int partitions, IReadOnlyDictionary<string, string> given)
    {
        lock (_lock)
        {
            if (_index.Find(name) is { } existing)
            {
                return (existing, false);
            }
            FinishDeletion(name);
            directory.FinishRemovals();
            Guid id = NewId();
            var topicSettings = new TopicSettings(settings, given);
            // Until all is there the file says that the topic is to be deleted: that is what a start does with half of it.
            _halfMade = new TopicEntry(name, id, partitions, Deleting: true, topicSettings.Given);
            Write(_index.All);
            IReadOnlyList<PartitionLog> logs = directory.Create(name, id, 0, partitions, topicSettings.LogOptions());
            var topic = new Topic(name, id, topicSettings, [.. logs.Select(log => new Partition(log, directory.NodeId, LeadState))]);
            _halfMade = null;
            Serve(topic);
            logger.TopicCreated(name, partitions, id);
            return (topic, true);
        }
    }

    // A topic that the file cannot name must not be served: it would be gone after a crash.
    private void Serve(Topic topic)
    {
        var index = new TopicIndex([.. _index.All, topic]);
        try
        {
            Write(index.All);
        }
        catch (IOException)
        {
            _halfDeleted[topic.Name] = topic;
            throw;
        }
        _index = index;
    }

    /// <summary>Adds partitions to a topic, all of them or none; durable on return.</summary>
    /// <param name="topic">The topic; partitions that others have added meanwhile count.</param>
    /// <param name="partitions">How many it is to have.</param>
    /// <returns>How many it had before, and whether they were added: they are not when the topic is gone or has as many.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    public (int Before, bool Added) AddPartitions(Topic topic, int partitions)
    {
        lock (_lock)
        {
            if (_index.Find(topic.Id) is not { } current || current.Partitions.Count >= partitions)
            {
                return (_index.Find(topic.Id)?.Partitions.Count ?? 0, false);
            }
            // What a try made whose registry file the disk refused is served now. A start removes what the file does not name: it is empty.
            List<PartitionLog> logs = [.. directory.Logs
                .Where(log => log.TopicId == topic.Id && log.Partition >= current.Partitions.Count && log.Partition < partitions)
                .OrderBy(static log => log.Partition)];
            int next = current.Partitions.Count + logs.Count;
            if (next < partitions)
            {
                logs.AddRange(directory.Create(topic.Name, topic.Id, next, partitions - next, current.Settings.LogOptions()));
            }
            Partition[] added = [.. current.Partitions, .. logs.Select(log => new Partition(log, directory.NodeId, LeadState))];
            Replace(new Topic(current.Name, current.Id, current.Settings, added));
            logger.PartitionsAdded(topic.Name, current.Partitions.Count, partitions);
            return (current.Partitions.Count, true);
        }
    }

    /// <summary>Replaces a topic's own settings; durable and in force on return. False when the topic is gone.</summary>
    /// <exception cref="IOException">The disk refused; nothing has changed.</exception>
    public bool ChangeSettings(Topic topic, IReadOnlyDictionary<string, string> given)
    {
        lock (_lock)
        {
            if (_index.Find(topic.Id) is not { } current)
            {
                return false;
            }
            var changed = new Topic(current.Name, current.Id, new TopicSettings(settings, given), current.Partitions);
            Replace(changed);
            TakeSettings(changed);
            logger.TopicSettingsChanged(topic.Name);
            return true;
        }
    }

    /// <summary>Lets all logs follow the broker's settings, which have changed.</summary>
    public void TakeInheritedSettings()
    {
        lock (_lock)
        {
            foreach (Topic topic in _index.All)
            {
                TakeSettings(topic);
            }
        }
    }

    private static void TakeSettings(Topic topic)
    {
        PartitionLogOptions options = topic.Settings.LogOptions();
        foreach (PartitionLog log in topic.Partitions.Select(partition => partition.Log).OfType<PartitionLog>())
        {
            log.Options = options;
        }
    }

    // Durable before it is served.
    private void Replace(Topic topic)
    {
        var index = new TopicIndex([.. _index.All.Select(other => other.Id == topic.Id ? topic : other)]);
        Write(index.All);
        _index = index;
    }

    /// <summary>Deletes a topic and its logs; durably gone on return. False when it was gone already.</summary>
    /// <exception cref="IOException">The disk refused: it is not served any more, and its logs go before its name is used again.</exception>
    public bool Delete(Topic topic)
    {
        lock (_lock)
        {
            if (_index.Find(topic.Id) is not { } current)
            {
                return false;
            }
            topic = current; // with the partitions that were added since it was looked up
            _index = new TopicIndex([.. _index.All.Where(other => other.Id != topic.Id)]);
            _halfDeleted[topic.Name] = topic;
            // From here on nothing is acked into it, also where the disk refuses what follows.
            foreach (Partition partition in topic.Partitions)
            {
                partition.Retire();
            }
        }
        try
        {
            lock (_lock)
            {
                FinishDeletion(topic.Name);
            }
            return true;
        }
        finally
        {
            logger.TopicDeleted(topic.Name, topic.Id);
            Deleted?.Invoke(topic);
        }
    }

    // The topic is no longer served: a crash before the mark is on the disk may bring it back whole.
    private void FinishDeletion(string name)
    {
        if (!_halfDeleted.TryGetValue(name, out Topic? topic))
        {
            return;
        }
        Write(_index.All);
        directory.DeleteTopic(topic.Name, topic.Id);
        _halfDeleted.Remove(name);
        Write(_index.All);
    }

    /// <summary>The state of every partition: this broker leads it and is its only replica.</summary>
    private PartitionState LeadState => PartitionState.Single(directory.NodeId, directory.LeaderEpoch);

    private Topic Assemble(string name, Guid id, TopicSettings topicSettings, int partitions, Dictionary<int, PartitionLog> logs)
    {
        PartitionState state = LeadState;
        Dictionary<int, OfflineLog> offline = directory.OfflineLogs.Where(log => log.TopicId == id).ToDictionary(log => log.Partition);
        var served = new List<Partition>(partitions);
        for (int number = 0; number < partitions; number++)
        {
            served.Add(logs.TryGetValue(number, out PartitionLog? log)
                ? new Partition(log, directory.NodeId, state)
                : new Partition(offline.GetValueOrDefault(number) ?? Missing(name, id, number), directory.NodeId, state));
        }
        return new Topic(name, id, topicSettings, served);
    }

    // Of a topic that no registry entry names: the data directory cannot know how many partitions it had.
    private static OfflineLog Missing(string name, Guid id, int number) =>
        new(name, id, number, null, $"{name}-{number} is not in the data directory, though later partitions of {name} are.");

    /// <summary>Directories that no entry names: another broker's data, or the registry file was lost. Nothing is thrown away.</summary>
    private Topic Adopt(IGrouping<string, PartitionLog> logs)
    {
        logger.TopicAdopted(logs.Key);
        Guid id = logs.First().TopicId;
        IEnumerable<int> offline = directory.OfflineLogs.Where(log => log.TopicId == id).Select(log => log.Partition);
        return Assemble(
            logs.Key, id, new TopicSettings(settings, new Dictionary<string, string>()), logs.Select(log => log.Partition).Concat(offline).Max() + 1,
            logs.ToDictionary(log => log.Partition));
    }

    private void Write(IEnumerable<Topic> served) => file.Write(
    [
        .. served.Select(topic => EntryOf(topic, deleting: false)),
        .. _halfMade is null ? [] : new[] { _halfMade },
        .. _halfDeleted.Values.Select(topic => EntryOf(topic, deleting: true)),
    ]);

    private static TopicEntry EntryOf(Topic topic, bool deleting) =>
        new(topic.Name, topic.Id, topic.Partitions.Count, deleting, topic.Settings.Given);

    /// <summary>A random version 4 UUID whose text form does not begin with a dash, as Kafka's tools want it.</summary>
    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        do
        {
            random.NextBytes(bytes);
            bytes[6] = (byte)((bytes[6] & 0x0f) | 0x40);
            bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        }
        while (bytes[0] >> 2 == 62);
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>The topics at one moment, by name and by id.</summary>
internal sealed class TopicIndex
{
    private readonly Dictionary<string, Topic> _byName;
    private readonly Dictionary<Guid, Topic> _byId;

    public TopicIndex(IEnumerable<Topic> topics)
    {
        All = [.. topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)];
        _byName = All.ToDictionary(topic => topic.Name, StringComparer.Ordinal);
        _byId = All.ToDictionary(topic => topic.Id);
    }

    public static TopicIndex Empty { get; } = new([]);

    public IReadOnlyList<Topic> All { get; }

    public Topic? Find(string name) => _byName.GetValueOrDefault(name);

    public Topic? Find(Guid id) => _byId.GetValueOrDefault(id);
}
