namespace LogPipeline.Broker.Groups;

// What is kept of the group is appended once more, so that all earlier records about it may go. Under _lock, so that nothing about the
// group is appended between what is read here and what is appended, and not while a commit or a new generation is appended and not yet
// known here: the older state would lie behind it.
internal sealed partial class Group
{
    /// <summary>Appends all that counts of the group at the end of the internal topic.</summary>
    /// <param name="offsets">The group's offsets.</param>
    /// <param name="position">Durable from there on; null when there is nothing to append.</param>
    /// <returns>Whether no earlier record about the group counts once that is durable; if not, a later call may succeed.</returns>
    /// <exception cref="IOException">The disk refused; earlier records go on counting.</exception>
    public bool TryRewrite(GroupOffsets offsets, out OffsetsPosition? position)
    {
        lock (_lock)
        {
            position = null;
            if (_isDead)
            {
                return true;
            }
            if (_isClosed || _pendingCommits > 0 || _state is not (GroupState.Empty or GroupState.Stable))
            {
                return false;
            }
            IReadOnlyList<KeyValuePair<(string Topic, int Partition), CommittedOffset>> kept = offsets.All();
            if (kept.Count > 0 || _protocolType is not null)
            {
                position = services.Offsets.Append(id, Records(kept));
            }
            return true;
        }
    }

    private IEnumerable<GroupRecord> Records(IReadOnlyList<KeyValuePair<(string Topic, int Partition), CommittedOffset>> offsets)
    {
        foreach (((string topic, int partition), CommittedOffset offset) in offsets)
        {
            yield return GroupRecords.Offset(id, topic, partition, offset);
        }
        if (_protocolType is not null)
        {
            yield return ToRecord(_state == GroupState.Empty ? _emptySince ?? -1 : Now);
        }
    }
}
