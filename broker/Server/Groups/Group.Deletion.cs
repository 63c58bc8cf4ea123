using LogPipeline.Protocol;

namespace LogPipeline.Broker.Groups;

// What an administrator deletes. As in Group.Expiry.cs, tombstones are appended under _lock, so that their order in the log is the
// order in memory. While a commit is appended and not yet durable nothing is deleted: it would come back in memory alone.
internal sealed partial class Group
{
    /// <summary>Removes the group and its offsets, if nobody is in it.</summary>
    /// <param name="offsets">The group's offsets.</param>
    /// <param name="position">Durable from there on; null when there was nothing on disk.</param>
    /// <returns>None; NonEmptyGroup, GroupIdNotFound, or CoordinatorLoadInProgress for a client that is to try again.</returns>
    /// <exception cref="IOException">The disk refused; nothing was removed.</exception>
    public ErrorCode Delete(GroupOffsets offsets, out OffsetsPosition? position)
    {
        lock (_lock)
        {
            position = null;
            ErrorCode error = MayDelete(offsets);
            error = error == ErrorCode.None && _state != GroupState.Empty ? ErrorCode.NonEmptyGroup : error;
            if (error != ErrorCode.None)
            {
                return error;
            }
            List<(string Topic, int Partition)> keys = [.. offsets.All().Select(entry => entry.Key)];
            position = AppendTombstones(keys, ofGroup: _protocolType is not null, offsets);
            _isDead = true;
            return ErrorCode.None;
        }
    }

    /// <summary>Removes committed offsets, but for those of topics that the members read.</summary>
    /// <param name="keys">Which offsets; those that were never committed count as removed.</param>
    /// <param name="offsets">The group's offsets.</param>
    /// <param name="subscribed">The topics among <paramref name="keys"/> whose offsets stay, since they are read.</param>
    /// <param name="position">Durable from there on; null when there was nothing on disk.</param>
    /// <returns>
    /// None; NonEmptyGroup when the members are no consumers, GroupIdNotFound, or CoordinatorLoadInProgress for a client that is to try again.
    /// </returns>
    /// <exception cref="IOException">The disk refused; nothing was removed.</exception>
    public ErrorCode DeleteOffsets(
        IReadOnlyCollection<(string Topic, int Partition)> keys, GroupOffsets offsets, out HashSet<string> subscribed, out OffsetsPosition? position)
    {
        lock (_lock)
        {
            subscribed = [];
            position = null;
            ErrorCode error = MayDelete(offsets);
            error = error == ErrorCode.None && _state != GroupState.Empty && _protocolType != Consumers ? ErrorCode.NonEmptyGroup : error;
            if (error != ErrorCode.None)
            {
                return error;
            }
            HashSet<string>? inUse = _state == GroupState.Empty ? [] : SubscribedTopics();
            subscribed = [.. keys.Select(key => key.Topic).Where(topic => inUse is null || inUse.Contains(topic))];
            HashSet<string> kept = subscribed;
            position = AppendTombstones(
                [.. keys.Where(key => !kept.Contains(key.Topic) && offsets.Find(key.Topic, key.Partition) is not null)], ofGroup: false, offsets);
            return ErrorCode.None;
        }
    }

    /// <summary>Removes the offsets committed for a topic that is gone.</summary>
    /// <exception cref="IOException">The disk refused; nothing was removed.</exception>
    public void ForgetTopic(string topic, GroupOffsets offsets)
    {
        lock (_lock)
        {
            AppendTombstones([.. offsets.All().Select(static entry => entry.Key).Where(key => key.Topic == topic)], ofGroup: false, offsets);
        }
    }

    private ErrorCode MayDelete(GroupOffsets offsets) =>
        _isDead || (_generation == 0 && _members.Count == 0 && _outstanding.Count == 0 && _pendingCommits == 0 && !offsets.HadAny)
            ? ErrorCode.GroupIdNotFound
        : _isClosed || _pendingCommits > 0 ? ErrorCode.CoordinatorLoadInProgress
        : ErrorCode.None;

    /// <summary>Appends what deletes offsets, and the group itself when asked; null when there is nothing to delete.</summary>
    private OffsetsPosition? AppendTombstones(List<(string Topic, int Partition)> keys, bool ofGroup, GroupOffsets offsets)
    {
        if (keys.Count == 0 && !ofGroup)
        {
            return null;
        }
        IEnumerable<GroupRecord> tombstones = keys.Select(key => GroupRecords.Offset(id, key.Topic, key.Partition, null));
        OffsetsPosition position = services.Offsets.Append(id, ofGroup ? tombstones.Append(GroupRecords.Group(id, null)) : tombstones);
        keys.ForEach(key => offsets.Apply(key.Topic, key.Partition, null, position.EndOffset));
        return position;
    }
}
