using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Cluster;

// _lock serialises changes and guards _owed; readers take the image as it is.
/// <summary>The state of the cluster: an image that is replaced whole with each change, after the metadata log has the change.</summary>
internal sealed class ClusterMetadata(MetadataLog log, ClusterImage image, ILogger logger)
{
    /// <summary>A snapshot is taken when the log behind the last one holds this many records more than the image.</summary>
    private const int RecordsBeyondImage = 1_000;

    private readonly Lock _lock = new();
    private readonly List<IMetadataRecord> _owed = []; // removals that the log has not taken yet
    private ClusterImage _image = image;

    /// <summary>What counts now.</summary>
    public ClusterImage Image => Volatile.Read(ref _image);

    /// <summary>Whether the metadata log failed so that it is not known what is in it.</summary>
    public bool IsOffline => OfflineReason is not null;

    /// <summary>How it failed; null while it works.</summary>
    public Exception? OfflineReason => log.OfflineReason;

    /// <summary>Takes records that belong together: durable on return, and then in force.</summary>
    /// <exception cref="IOException">The disk refused; nothing changed, unless <see cref="IsOffline"/>.</exception>
    public void Change(IReadOnlyList<IMetadataRecord> records)
    {
        lock (_lock)
        {
            ClusterImage next = records.Aggregate(_image, static (image, record) => image.With(record));
            log.Append([.. _owed, .. records]);
            _owed.Clear();
            Volatile.Write(ref _image, next with { Offset = log.EndOffset - 1 });
            SnapshotWhenLong();
        }
    }

    /// <summary>
    /// Removes a topic from the image at once, and from the log durably on return. Where the disk refuses, the log owes it: it goes
    /// with the next change, and only a crash before that brings the topic back.
    /// </summary>
    /// <exception cref="IOException">The disk refused; a second call tries again.</exception>
    public void Remove(Guid topicId)
    {
        lock (_lock)
        {
            if (_image.Find(topicId) is not null)
            {
                var removal = new RemoveTopicRecord { TopicId = topicId };
                Volatile.Write(ref _image, _image.With(removal));
                _owed.Add(removal);
            }
            if (_owed.Count > 0)
            {
                log.Append(_owed);
                _owed.Clear();
                Volatile.Write(ref _image, _image with { Offset = log.EndOffset - 1 });
            }
        }
    }

    /// <summary>The logs of a removed topic are gone for good.</summary>
    public void ForgetRemoved(string topic)
    {
        lock (_lock)
        {
            Volatile.Write(ref _image, _image with { Removed = _image.Removed.Remove(topic) });
            SnapshotWhenLong();
        }
    }

    private void SnapshotWhenLong()
    {
        ClusterImage image = _image;
        long records = image.Topics.Values.Sum(static topic => 1L + topic.Partitions.Count);
        if (log.RecordsSinceSnapshot <= records + RecordsBeyondImage || !image.Removed.IsEmpty || _owed.Count > 0)
        {
            return;
        }
        try
        {
            log.TakeSnapshot(image);
        }
        catch (IOException e)
        {
            logger.SnapshotRefused(e);
        }
    }
}
