namespace LogPipeline.Broker.Groups;

/// <summary>A committed offset as it is in the log.</summary>
/// <param name="Offset">The next record to read.</param>
/// <param name="LeaderEpoch">The epoch of the record before it; -1 unknown.</param>
/// <param name="Metadata">What the client put beside it.</param>
/// <param name="CommittedAt">When it was committed, in milliseconds since 1970.</param>
/// <param name="ExpiresAt">When it expires, in milliseconds since 1970; null: as the retention says. Records of version 1 have it.</param>
/// <param name="LogOffset">Where in __consumer_offsets it lies: of two, the higher one counts.</param>
internal readonly record struct CommittedOffset(
    long Offset, int LeaderEpoch, string Metadata, long CommittedAt, long? ExpiresAt, long LogOffset);

// _lock guards _offsets. Changed through Apply alone, by replay at start and by commits once they are durable, so the state in
// memory is what a replay would build; commits that were flushed together may arrive in any order, hence the log offset.
/// <summary>The committed offsets of one group.</summary>
internal sealed class GroupOffsets
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<(string Topic, int Partition), CommittedOffset> _offsets = new(Comparer<(string Topic, int Partition)>.Create(
        static (a, b) => string.CompareOrdinal(a.Topic, b.Topic) is var order and not 0 ? order : a.Partition.CompareTo(b.Partition)));

    /// <summary>
    /// Whether an offset was ever committed here since the start. As in Kafka, a group that has none any more is there until it expires.
    /// </summary>
    public bool HadAny { get; private set; }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _offsets.Count;
            }
        }
    }

    /// <summary>Takes a record of the log; null is a tombstone.</summary>
    public void Apply(string topic, int partition, OffsetValue? value, long logOffset)
    {
        lock (_lock)
        {
            if (_offsets.TryGetValue((topic, partition), out CommittedOffset known) && known.LogOffset > logOffset)
            {
                return;
            }
            if (value is null)
            {
                _offsets.Remove((topic, partition));
            }
            else
            {
                HadAny = true;
                long? expires = value.ExpireTimestamp >= 0 ? value.ExpireTimestamp : null;
                _offsets[(topic, partition)] =
                    new CommittedOffset(value.Offset, value.LeaderEpoch, value.Metadata, value.CommitTimestamp, expires, logOffset);
            }
        }
    }

    public CommittedOffset? Find(string topic, int partition)
    {
        lock (_lock)
        {
            return _offsets.TryGetValue((topic, partition), out CommittedOffset offset) ? offset : null;
        }
    }

    /// <summary>All, by topic and partition. A snapshot.</summary>
    public IReadOnlyList<KeyValuePair<(string Topic, int Partition), CommittedOffset>> All()
    {
        lock (_lock)
        {
            return [.. _offsets];
        }
    }
}
