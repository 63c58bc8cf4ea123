using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Groups;

// Kafka's rules. Offsets are kept for offsets.retention.minutes: in an empty group from when the last member went or from the commit,
// whichever is later; in a stable group of consumers from the commit, and only those of topics that nobody subscribes to. A group
// without members and offsets goes. Tombstones are appended under _lock, so that their order in the log is the order in memory. They
// are not waited for: what a crash brings back expires again.
internal sealed partial class Group
{
    private const string Consumers = "consumer";

    /// <summary>Removes offsets that are too old, and the group itself when nothing is left of it.</summary>
    /// <returns>Whether the group is gone.</returns>
    /// <exception cref="IOException">The disk refused; nothing was removed.</exception>
    public bool Expire(GroupOffsets offsets)
    {
        lock (_lock)
        {
            if (_isClosed || _isDead || _pendingCommits > 0)
            {
                return false;
            }
            List<(string Topic, int Partition)> expired = [.. Expired(offsets)];
            bool isOver = _state == GroupState.Empty && _outstanding.Count == 0 && expired.Count == offsets.Count;
            AppendTombstones(expired, ofGroup: isOver && _protocolType is not null, offsets);
            _isDead = isOver;
            return isOver;
        }
    }

    private IEnumerable<(string Topic, int Partition)> Expired(GroupOffsets offsets)
    {
        HashSet<string>? inUse = _state == GroupState.Empty ? [] : _state == GroupState.Stable ? SubscribedTopics() : null;
        if (inUse is null)
        {
            return [];
        }
        long now = Now;
        long emptySince = _state == GroupState.Empty ? _emptySince ?? 0 : 0;
        return offsets.All().Where(entry => !inUse.Contains(entry.Key.Topic) && IsOver(entry.Value)).Select(entry => entry.Key);

        bool IsOver(CommittedOffset offset) => offset.ExpiresAt is { } told
            ? now >= told
            : now - Math.Max(emptySince, offset.CommittedAt) >= services.Settings.OffsetsRetention.TotalMilliseconds;
    }

    /// <summary>What the members of a group of consumers read; null when that cannot be told.</summary>
    private HashSet<string>? SubscribedTopics()
    {
        if (_protocolType != Consumers || _protocol is null)
        {
            return null;
        }
        var topics = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            foreach (GroupMember member in _members)
            {
                topics.UnionWith(TopicsOf(member.MetadataFor(_protocol)));
            }
            return topics;
        }
        catch (MalformedMessageException)
        {
            return null;
        }
    }

    /// <summary>The topics of a consumer's subscription: version i16, topics [str], and what is of no use here.</summary>
    private static List<string> TopicsOf(ReadOnlyMemory<byte> subscription)
    {
        var reader = new WireReader(subscription, version: 0, flexible: false);
        short version = 0;
        List<string> topics = [];
        reader.Int16(ref version);
        reader.StringArray(ref topics);
        return topics;
    }
}
