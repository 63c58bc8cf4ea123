using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Files;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Cluster;

/// <summary>
/// Opens a data directory and the cluster's state in it. The metadata log is read first, because it says which other logs there should
/// be. A directory of an earlier version is taken over: its version is raised, then one batch with all that topics.json and
/// broker-settings.json say is made durable in the metadata log, then they go. A crash before that batch is durable begins anew.
/// </summary>
internal sealed class ClusterOpening(IFileSystem files, string path, BrokerSettings settings, TimeProvider time, ILogger logger)
{
    private readonly TopicFile _registry = new(files, path);
    private readonly BrokerSettingsFile _changedSettings = new(files, path);
    private IReadOnlyList<TopicEntry> _entries = [];
    private DynamicSettings? _changed; // what the file of earlier versions says; null when there is none
    private PartitionLog? _log;
    private (ClusterImage Image, long SnapshotOffset)? _found;

    /// <summary>Opens the directory; <see cref="Start"/> follows.</summary>
    /// <exception cref="IOException">The directory is locked, a metadata file is damaged, or the disk refused.</exception>
    /// <exception cref="InvalidDataException">A file that concerns all logs is damaged, or of a newer version.</exception>
    public DataDirectory Open(Action<Exception> onFatal, Random random)
    {
        var options = new DataDirectoryOptions
        {
            NodeId = settings.NodeId,
            ReservedBytes = settings.ReservedBytes,
            JournalBytes = settings.JournalBytes,
            JournalAppendBytesMax = settings.JournalBatchBytesMax,
            Topics = TopicsOf,
            MetadataLog = MetadataLog.Options,
            OptionsOf = topic => new TopicSettings(settings, GivenFor(topic)).LogOptions(),
            OnFatal = onFatal,
        };
        return DataDirectory.Open(files, path, options, time, random, logger);
    }

    /// <summary>Registers the broker and decides who leads the partitions; durable on return.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public ClusterMetadata Start(DataDirectory directory, IReadOnlyList<Listener> listeners)
    {
        PartitionLog log = _log ?? directory.Create(DataDirectory.MetadataTopic, MetadataLog.TopicId, 0, 1, MetadataLog.Options)[0];
        ClusterImage image = (_found?.Image ?? new ClusterImage { ClusterId = "" }) with { ClusterId = directory.ClusterId, Removed = [] };
        RemoveUnnamed(directory, image);
        var broker = new BrokerImage(
            directory.NodeId,
            log.LogEndOffset,
            listeners.Where(static one => one.Advertised is not null)
                .ToDictionary(static one => one.Name, static one => one.Advertised!.Value, StringComparer.Ordinal));
        var metadata = new MetadataLog(files, directory, log, _found?.SnapshotOffset ?? 0, time);
        var cluster = new ClusterMetadata(metadata, image, logger);
        List<IMetadataRecord> records = _found is null
            ? ClusterStart.FirstLife(broker, _entries, directory)
            : ClusterStart.NextLife(broker, image, directory);
        if (_changed is not null)
        {
            records.AddRange(BrokerSettingsFile.Records(_changed, image, directory.NodeId));
        }
        cluster.Change(records);
        HashSet<string> named = [.. image.Topics.Keys, .. _entries.Select(static entry => entry.Name)];
        foreach (string adopted in cluster.Image.Topics.Keys.Where(topic => !named.Contains(topic)))
        {
            logger.TopicAdopted(adopted);
        }
        _registry.Delete();
        _changedSettings.Delete();
        return cluster;
    }

    private Dictionary<string, KnownTopic> TopicsOf(PartitionLog? log)
    {
        _log = log;
        _found = log is null ? null : MetadataLog.Read(files, log);
        _changed = _changedSettings.Read();
        settings.Dynamic = _changed ?? _found?.Image.DynamicSettingsOf(settings.NodeId) ?? DynamicSettings.None;
        if (_found is not { Image: { } image })
        {
            _entries = _registry.Read() ?? [];
            return _entries.ToDictionary(
                static entry => entry.Name,
                static entry => new KnownTopic(entry.Id, entry.Partitions, entry.Deleting),
                StringComparer.Ordinal);
        }
        return image.Topics.Values.Select(static topic => (Topic: topic, IsGone: false))
            .Concat(image.Removed.Values.Select(static topic => (Topic: topic, IsGone: true)))
            .ToDictionary(
                static one => one.Topic.Name,
                static one => new KnownTopic(one.Topic.Id, one.Topic.Partitions.Count, one.IsGone),
                StringComparer.Ordinal);
    }

    private IReadOnlyDictionary<string, string> GivenFor(string topic) => _found is { Image: { } image }
        ? image.ConfigsOf(ConfigResource.Topic(topic))
        : _entries.FirstOrDefault(entry => entry.Name == topic)?.Settings ?? new Dictionary<string, string>();

    // A crash may have cut a creation short before the metadata log named the topic: its logs never took a record. Of a log that could not
    // be opened nobody knows.
    private void RemoveUnnamed(DataDirectory directory, ClusterImage image)
    {
        if (_found is null)
        {
            return;
        }
        foreach (IGrouping<(string Topic, Guid TopicId), PartitionLog> topic in directory.Logs
            .Where(log => log.Topic != DataDirectory.MetadataTopic && image.Find(log.TopicId) is null)
            .GroupBy(static log => (log.Topic, log.TopicId))
            .Where(topic => topic.All(static log => log.LogEndOffset == 0) && directory.OfflineLogs.All(log => log.TopicId != topic.Key.TopicId))
            .ToList())
        {
            directory.DeleteTopic(topic.Key.Topic, topic.Key.TopicId);
        }
    }
}
