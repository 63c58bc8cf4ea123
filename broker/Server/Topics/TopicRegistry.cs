using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Topics;

// _lock serialises changes (they touch the disk) and guards _index and _doomed; readers take the index as it is. The metadata log
// decides: logs are created before it names them, and removed after it has removed their topic. A crash between leaves logs that no
// record names, which are empty, or logs of a removed topic; the next start removes both.
/// <summary>The topics that this broker serves, with their partitions; creates, changes and deletes them.</summary>
internal sealed class TopicRegistry(
    DataDirectory directory, ClusterMetadata cluster, BrokerSettings settings, Random random, ILogger logger)
{
    private readonly Dictionary<string, Guid> _doomed = new(StringComparer.Ordinal); // removed topics whose logs the disk kept so far
    private readonly Lock _lock = new();
    private volatile TopicIndex _index = TopicIndex.Empty;

    /// <summary>All topics by name in ordinal order. A snapshot.</summary>
    public IReadOnlyList<Topic> All => _index.All;

    public Topic? Find(string name) => _index.Find(name);

    public Topic? Find(Guid id) => _index.Find(id);

    /// <summary>Raised after a topic is gone, outside the lock.</summary>
    public event Action<Topic>? Deleted;

    /// <summary>Serves what the cluster's image says and the data directory has.</summary>
    public void Load()
    {
        ILookup<Guid, PartitionLog> logs = directory.Logs.ToLookup(static log => log.TopicId);
        ILookup<Guid, OfflineLog> offline = directory.OfflineLogs.ToLookup(static log => log.TopicId);
        _index = new TopicIndex(cluster.Image.Topics.Values.Select(topic => Assemble(
            topic,
            logs[topic.Id].ToDictionary(static log => log.Partition),
            offline[topic.Id].ToDictionary(static log => log.Partition))));
    }

    /// <summary>Creates a topic; durable on return.</summary>
    /// <returns>
    /// The topic, and whether it is new. If not, it is the one that has the name, or a name that differs in '.' against '_' only.
    /// </returns>
    /// <exception cref="HandlesExhaustedException">The process may not open that many files.</exception>
    /// <exception cref="IOException">The disk refused; there is no such topic.</exception>
    public (Topic Topic, bool Created) Create(string name, int partitions, IReadOnlyDictionary<string, string> given)
    {
        lock (_lock)
        {
            if ((_index.Find(name) ?? FindColliding(name)) is { } existing)
            {
                return (existing, false);
            }
            FinishDeletion(name);
            directory.FinishRemovals();
            Guid id = NewId();
            var topicSettings = new TopicSettings(settings, given);
            IReadOnlyList<PartitionLog> logs = directory.Create(name, id, 0, partitions, topicSettings.LogOptions());
            try
            {
                IEnumerable<IMetadataRecord> records = ClusterStart.Topic(directory.NodeId, name, id, partitions, directory);
                cluster.Change([.. records, .. ConfigRecord.First(ConfigResource.Topic(name), topicSettings.Given)]);
            }
            catch (IOException)
            {
                Abandon(name, id);
                throw;
            }
            Topic topic = Assemble(cluster.Image.Find(id)!, logs.ToDictionary(static log => log.Partition), []);
            _index = new TopicIndex([.. _index.All, topic]);
            logger.TopicCreated(name, partitions, id);
            return (topic, true);
        }
    }

    // Of the image and under the lock, so that of two that collide one alone is created.
    private Topic? FindColliding(string name) => cluster.Image.FindColliding(name) is { } other ? _index.Find(other) : null;

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
            // What a try made that the metadata log refused is used now. A start removes what the log does not name: it is empty.
            int before = current.Partitions.Count;
            List<PartitionLog> logs = [.. directory.Logs
                .Where(log => log.TopicId == topic.Id && log.Partition >= before && log.Partition < partitions)
                .OrderBy(static log => log.Partition)];
            int next = before + logs.Count;
            if (next < partitions)
            {
                directory.FinishRemovals();
                logs.AddRange(directory.Create(topic.Name, topic.Id, next, partitions - next, current.Settings.LogOptions()));
            }
            PartitionState state = PartitionState.Single(directory.NodeId, directory.LeaderEpoch);
            cluster.Change([.. logs.Select(log => PartitionRecord.Of(topic.Id, log.Partition, state))]);
            IEnumerable<Partition> added = logs.Select(log => new Partition(log, directory.NodeId, state));
            Replace(new Topic(current.Name, current.Id, current.Settings, [.. current.Partitions, .. added]));
            logger.PartitionsAdded(topic.Name, before, partitions);
            return (before, true);
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
            ConfigResource resource = ConfigResource.Topic(current.Name);
            List<IMetadataRecord> records = [.. ConfigRecord.Changes(resource, cluster.Image.ConfigsOf(resource), given)];
            if (records.Count > 0)
            {
                cluster.Change(records);
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

    /// <summary>Leads a partition whose log could not be opened before, in a new leader epoch; nothing when its topic is gone.</summary>
    /// <exception cref="IOException">The disk refused; the partition stays without a leader.</exception>
    public void TakeReopened(PartitionLog log)
    {
        lock (_lock)
        {
            if (_index.Find(log.TopicId) is not { } topic || topic.Partition(log.Partition) is not { Log: null } offline)
            {
                return;
            }
            log.Options = topic.Settings.LogOptions();
            cluster.Change([new PartitionChangeRecord { TopicId = topic.Id, PartitionId = log.Partition, Leader = directory.NodeId }]);
            var reopened = new Partition(log, directory.NodeId, cluster.Image.Find(topic.Id)!.Partitions[log.Partition]);
            Replace(new Topic(topic.Name, topic.Id, topic.Settings, [.. topic.Partitions.Select(one => one == offline ? reopened : one)]));
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

    /// <summary>Deletes a topic and its logs; durably gone on return. False when it was gone already.</summary>
    /// <exception cref="IOException">The disk refused: it is not served any more, and its logs go before its name is used again.</exception>
    public bool Delete(Topic topic)
    {
        Topic now;
        lock (_lock)
        {
            if (_index.Find(topic.Id) is not { } found)
            {
                return false;
            }
            now = found;
            _index = new TopicIndex([.. _index.All.Where(other => other.Id != topic.Id)]);
            _doomed[topic.Name] = topic.Id;
            // From here on nothing is acked into it, also where the disk refuses what follows.
            foreach (Partition partition in now.Partitions)
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
            Deleted?.Invoke(now);
        }
    }

    private void FinishDeletion(string name)
    {
        if (_doomed.TryGetValue(name, out Guid id))
        {
            cluster.Remove(id);
            directory.DeleteTopic(name, id);
            cluster.ForgetRemoved(name);
            _doomed.Remove(name);
        }
    }

    // Of a creation that the metadata log did not take. Where it is not known what the log took, the next start decides.
    private void Abandon(string name, Guid id)
    {
        if (cluster.IsOffline)
        {
            return;
        }
        _doomed[name] = id;
        try
        {
            FinishDeletion(name);
        }
        catch (IOException e)
        {
            logger.RemovalPostponed(e, name);
        }
    }

    private void Replace(Topic topic) => _index = new TopicIndex([.. _index.All.Select(other => other.Id == topic.Id ? topic : other)]);

    private Topic Assemble(TopicImage image, Dictionary<int, PartitionLog> logs, Dictionary<int, OfflineLog> offline)
    {
        var topicSettings = new TopicSettings(settings, cluster.Image.ConfigsOf(ConfigResource.Topic(image.Name)));
        var partitions = new List<Partition>(image.Partitions.Count);
        foreach (PartitionState state in image.Partitions)
        {
            int number = partitions.Count;
            partitions.Add(logs.TryGetValue(number, out PartitionLog? log)
                ? new Partition(log, directory.NodeId, state)
                : new Partition(offline.GetValueOrDefault(number) ?? Missing(image, number), directory.NodeId, state));
        }
        return new Topic(image.Name, image.Id, topicSettings, partitions);
    }

    // Of a topic that was found without a record of it: the data directory cannot know how many partitions it had.
    private static OfflineLog Missing(TopicImage topic, int number) =>
        new(topic.Name, topic.Id, number, null, $"{topic.Name}-{number} is not in the data directory, though later partitions are.");

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
