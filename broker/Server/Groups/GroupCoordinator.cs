using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Groups;

// _lock guards _groups. Offsets and members are changed in memory only by what the log has: Apply serves replay at start.
/// <summary>All groups of this broker and their offsets.</summary>
internal sealed class GroupCoordinator(GroupServices services)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (Group Group, GroupOffsets Offsets)> _groups = new(StringComparer.Ordinal);
    private ITimer? _expiry;
    private IReadOnlySet<int> _unread = new HashSet<int>(); // partitions of the internal topic that the start could not read
    private int _partitions;

    /// <summary>All groups by id. A snapshot.</summary>
    public IReadOnlyList<Group> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _groups.Values.Select(entry => entry.Group)];
            }
        }
    }

    public Group? Find(string id)
    {
        lock (_lock)
        {
            return _groups.TryGetValue(id, out (Group Group, GroupOffsets Offsets) entry) ? entry.Group : null;
        }
    }

    public GroupOffsets? FindOffsets(string id)
    {
        lock (_lock)
        {
            return _groups.TryGetValue(id, out (Group Group, GroupOffsets Offsets) entry) ? entry.Offsets : null;
        }
    }

    /// <summary>The group of that id, made when it is not there.</summary>
    public Group FindOrAdd(string id) => Entry(id).Group;

    /// <summary>Begins to look for what has expired.</summary>
    public void Start()
    {
        TimeSpan interval = services.Settings.OffsetsRetentionCheckInterval;
        _expiry = services.Time.CreateTimer(_ => Expire(), null, interval, interval);
    }

    /// <summary>Stops all timers; what is on disk is what the next life begins with.</summary>
    public void Close()
    {
        _expiry?.Dispose();
        foreach (Group group in All)
        {
            group.Close();
        }
    }

    /// <summary>Whether what the log says of a group is known. If not, every answer about it would be a guess.</summary>
    public bool IsAvailable(string group) => _unread.Count == 0 || !_unread.Contains(OffsetsTopic.Number(group, _partitions));

    /// <summary>Whether a partition of the internal topic was read at the start, so that all of its groups are known.</summary>
    public bool IsRead(int partition) => !_unread.Contains(partition);

    /// <summary>The groups whose records are in a partition of the internal topic. A snapshot.</summary>
    /// <param name="partition">Its number.</param>
    /// <param name="partitions">How many the topic has.</param>
    public IReadOnlyList<(Group Group, GroupOffsets Offsets)> Of(int partition, int partitions)
    {
        lock (_lock)
        {
            return [.. _groups.Values.Where(entry => OffsetsTopic.Number(entry.Group.Id, partitions) == partition)];
        }
    }

    /// <summary>Reads what the last life of the broker left.</summary>
    public void Load(Topic? offsetsTopic)
    {
        if (offsetsTopic is null)
        {
            return;
        }
        using var replay = new OffsetsReplay(this, services.Logger);
        _unread = replay.Run(offsetsTopic);
        _partitions = offsetsTopic.Partitions.Count;
        foreach ((string id, (Group group, GroupOffsets offsets)) in _groups.ToList())
        {
            if (group.IsBlank && offsets.Count == 0)
            {
                _groups.Remove(id); // its last records are tombstones
            }
        }
        services.Logger.GroupsLoaded(_groups.Count, _groups.Values.Sum(entry => entry.Offsets.Count), replay.Records);
    }

    /// <summary>Takes one record of the internal topic.</summary>
    /// <exception cref="MalformedMessageException">The record is not understood, or says what no broker can have written.</exception>
    public void Apply(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value, long logOffset)
    {
        switch (GroupRecords.Version(key))
        {
            case 0 or GroupRecords.OffsetKeyVersion:
                OffsetKey offset = GroupRecords.DecodeKey<OffsetKey>(key);
                Require(offset.Partition < 0 ? $"partition {offset.Partition}" : null);
                OffsetValue? committed = value is { } bytes ? GroupRecords.DecodeValue<OffsetValue>(bytes) : null;
                Entry(offset.Group).Offsets.Apply(offset.Topic, offset.Partition, committed, logOffset);
                break;
            case GroupRecords.GroupKeyVersion:
                string group = GroupRecords.DecodeKey<GroupKey>(key).Group;
                GroupValue metadata = value is { } encoded ? GroupRecords.DecodeValue<GroupValue>(encoded) : new GroupValue();
                Require(metadata.Problem());
                Entry(group).Group.Restore(metadata);
                break;
            default:
                break;
        }
    }

    /// <summary>Keeps offsets that a member, or nobody, commits; they count and can be fetched once they are durable.</summary>
    /// <returns>None, why the caller may not commit, or that the disk refused.</returns>
    public async ValueTask<ErrorCode> CommitAsync(
        OffsetCommitRequest request, IReadOnlyList<(string Topic, int Partition, OffsetValue Value)> offsets, CancellationToken cancellation)
    {
        (Group group, GroupOffsets kept) = Entry(request.GroupId);
        try
        {
            ErrorCode error = group.Commit(
                request.MemberId, request.GroupInstanceId, request.GenerationIdOrMemberEpoch, Append, out OffsetsPosition position);
            if (error != ErrorCode.None)
            {
                return error;
            }
            try
            {
                await KeepAsync(kept, offsets, position, cancellation);
            }
            finally
            {
                group.Committed();
            }
            return ErrorCode.None;
        }
        catch (IOException e)
        {
            services.Logger.AppendFailed(e, TopicName.Offsets, -1);
            return ErrorCode.CoordinatorNotAvailable;
        }

        OffsetsPosition Append() =>
            services.Offsets.Append(group.Id, offsets.Select(o => GroupRecords.Offset(group.Id, o.Topic, o.Partition, o.Value)));
    }

    private static async ValueTask KeepAsync(
        GroupOffsets kept,
        IReadOnlyList<(string Topic, int Partition, OffsetValue Value)> offsets,
        OffsetsPosition position,
        CancellationToken cancellation)
    {
        if (offsets.Count == 0)
        {
            return;
        }
        await position.FlushedAsync(cancellation);
        long logOffset = position.EndOffset - offsets.Count;
        foreach ((string topic, int partition, OffsetValue value) in offsets)
        {
            kept.Apply(topic, partition, value, logOffset++);
        }
    }

    /// <summary>Removes what has outlived offsets.retention.minutes.</summary>
    private void Expire()
    {
        foreach (Group group in All)
        {
            try
            {
                if (FindOffsets(group.Id) is { } offsets && group.Expire(offsets))
                {
                    Remove(group);
                    services.Logger.GroupExpired(group.Id);
                }
            }
            catch (IOException e)
            {
                services.Logger.AppendFailed(e, TopicName.Offsets, -1);
                return;
            }
        }
    }

    private void Remove(Group group)
    {
        lock (_lock)
        {
            _groups.Remove(group.Id);
        }
    }

    private bool TryFind(string id, out Group group, out GroupOffsets offsets)
    {
        lock (_lock)
        {
            bool isThere = _groups.TryGetValue(id, out (Group Group, GroupOffsets Offsets) entry);
            (group, offsets) = entry;
            return isThere;
        }
    }

    /// <summary>Deletes a group that nobody is in, with its offsets; durable on return.</summary>
    /// <returns>None, NonEmptyGroup, GroupIdNotFound, or that the client is to try again.</returns>
    public async ValueTask<ErrorCode> DeleteAsync(string id, CancellationToken cancellation)
    {
        if (!IsAvailable(id))
        {
            return ErrorCode.CoordinatorNotAvailable;
        }
        if (!TryFind(id, out Group group, out GroupOffsets offsets))
        {
            return ErrorCode.GroupIdNotFound;
        }
        try
        {
            ErrorCode error = group.Delete(offsets, out OffsetsPosition? position);
            if (error == ErrorCode.None)
            {
                Remove(group);
                services.Logger.GroupDeleted(id);
                await FlushedAsync(position, cancellation);
            }
            return error;
        }
        catch (IOException e)
        {
            services.Logger.AppendFailed(e, TopicName.Offsets, -1);
            return ErrorCode.CoordinatorNotAvailable;
        }
    }

    /// <summary>Deletes committed offsets of a group; durable on return.</summary>
    /// <returns>As <see cref="Group.DeleteOffsets"/> tells; or that the client is to try again.</returns>
    public async ValueTask<(ErrorCode Error, HashSet<string> Subscribed)> DeleteOffsetsAsync(
        string id, IReadOnlyCollection<(string Topic, int Partition)> keys, CancellationToken cancellation)
    {
        if (!IsAvailable(id))
        {
            return (ErrorCode.CoordinatorNotAvailable, []);
        }
        if (!TryFind(id, out Group group, out GroupOffsets offsets))
        {
            return (ErrorCode.GroupIdNotFound, []);
        }
        try
        {
            ErrorCode error = group.DeleteOffsets(keys, offsets, out HashSet<string> subscribed, out OffsetsPosition? position);
            await FlushedAsync(position, cancellation);
            return (error, subscribed);
        }
        catch (IOException e)
        {
            services.Logger.AppendFailed(e, TopicName.Offsets, -1);
            return (ErrorCode.CoordinatorNotAvailable, []);
        }
    }

    private static ValueTask FlushedAsync(OffsetsPosition? position, CancellationToken cancellation) =>
        position is { } end ? end.FlushedAsync(cancellation) : ValueTask.CompletedTask;

    /// <summary>A topic is gone: so are the offsets committed for it.</summary>
    public void ForgetTopic(string topic)
    {
        foreach (Group group in All)
        {
            if (FindOffsets(group.Id) is not { } offsets)
            {
                continue; // deleted meanwhile
            }
            group.ForgetTopic(topic, offsets);
        }
    }

    private static void Require(string? problem)
    {
        if (problem is not null)
        {
            throw new MalformedMessageException(problem, 0);
        }
    }

    private (Group Group, GroupOffsets Offsets) Entry(string id)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue(id, out (Group Group, GroupOffsets Offsets) entry))
            {
                entry = (new Group(id, services), new GroupOffsets());
                _groups.Add(id, entry);
            }
            return entry;
        }
    }

}
