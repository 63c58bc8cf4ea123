using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Groups;

/// <summary>The life of a group.</summary>
internal enum GroupState
{
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

// A classic consumer group. _lock guards everything and is never held across an await; parked requests are completed with
// continuations elsewhere. Transitions:
//   Empty --join--> PreparingRebalance --barrier--> CompletingRebalance --leader's sync, durable--> Stable
//   Stable, CompletingRebalance --join, leave, expiry--> PreparingRebalance          any --last member gone, barrier--> Empty
/// <summary>Members, generation and state of one group.</summary>
internal sealed partial class Group(string id, GroupServices services)
{
    private readonly Lock _lock = new();
    private readonly List<GroupMember> _members = [];
    private readonly Dictionary<string, string> _staticMembers = new(StringComparer.Ordinal);
    private GroupState _state = GroupState.Empty;
    private int _generation;
    private string? _protocolType;
    private string? _protocol;
    private string? _leader;
    private long? _emptySince; // when the last member went, in milliseconds since 1970; null when that is not known
    private int _pendingCommits; // appended, not yet durable
    private bool _isClosed;
    private bool _isDead; // removed: a request that still holds this object must find the group anew

    public string Id => id;

    /// <summary>Whether it is as it was made: nobody ever joined, as far as the log says.</summary>
    public bool IsBlank
    {
        get
        {
            lock (_lock)
            {
                return _generation == 0 && _members.Count == 0 && _outstanding.Count == 0;
            }
        }
    }

    /// <summary>Stops the timers: nobody is removed, nothing is written any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _barrier?.Dispose();
            _members.ForEach(member => member.Timer?.Dispose());
            foreach (ITimer outstanding in _outstanding.Values)
            {
                outstanding.Dispose();
            }
        }
    }

    /// <summary>What ListGroups tells.</summary>
    public ListGroupsResponse.Group List()
    {
        lock (_lock)
        {
            return new() { GroupId = id, ProtocolType = _protocolType ?? "", GroupState = _state.ToString(), GroupType = "classic" };
        }
    }

    /// <summary>What DescribeGroups tells.</summary>
    public DescribeGroupsResponse.Group Describe()
    {
        lock (_lock)
        {
            bool settled = _state == GroupState.Stable;
            return new()
            {
                GroupId = id,
                GroupState = _state.ToString(),
                ProtocolType = _protocolType ?? "",
                ProtocolData = settled ? _protocol ?? "" : "",
                Members = [.. _members.Select(member => new DescribeGroupsResponse.Group.Member
                {
                    MemberId = member.Id,
                    GroupInstanceId = member.InstanceId,
                    ClientId = member.ClientId,
                    ClientHost = member.ClientHost,
                    MemberMetadata = settled ? member.MetadataFor(_protocol) : default,
                    MemberAssignment = settled ? member.Assignment : default,
                })],
            };
        }
    }

    /// <summary>Takes a generation from the log; members must show themselves within their session timeout.</summary>
    public void Restore(GroupValue value)
    {
        lock (_lock)
        {
            _members.ForEach(member => member.Timer?.Dispose());
            _members.Clear();
            _staticMembers.Clear();
            (_protocolType, _generation, _protocol, _leader) = (value.ProtocolType, value.Generation, value.Protocol, value.Leader);
            _emptySince = value.CurrentStateTimestamp >= 0 ? value.CurrentStateTimestamp : null;
            _state = value.Members.Count > 0 ? GroupState.Stable : GroupState.Empty;
            foreach (GroupValue.Member from in value.Members)
            {
                var member = new GroupMember(from.MemberId, from.GroupInstanceId, from.ClientId, from.ClientHost)
                {
                    SessionTimeout = Min(TimeSpan.FromMilliseconds(from.SessionTimeoutMs), services.Settings.SessionTimeoutMax),
                    RebalanceTimeout = TimeSpan.FromMilliseconds(from.RebalanceTimeoutMs > 0 ? from.RebalanceTimeoutMs : from.SessionTimeoutMs),
                    Protocols = [(value.Protocol ?? "", from.Subscription.ToArray())],
                    Assignment = from.Assignment.ToArray(),
                    IsNew = false,
                    HasSynced = true,
                };
                Add(member, member.SessionTimeout);
            }
        }
    }

    /// <summary>
    /// Appends offsets if the caller may commit now: a member of this generation, or nobody (no member id, generation -1) while the
    /// group is empty. Under the lock, so that no commit of an older generation comes after the next barrier. A commit that was
    /// appended is followed by <see cref="Committed"/>.
    /// </summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public ErrorCode Commit(string memberId, string? instanceId, int generation, Func<OffsetsPosition> append, out OffsetsPosition position)
    {
        lock (_lock)
        {
            ErrorCode error = MayCommit(memberId, instanceId, generation);
            position = error == ErrorCode.None ? append() : default;
            _pendingCommits += error == ErrorCode.None ? 1 : 0;
            return error;
        }
    }

    /// <summary>A commit's offsets are durable and known, or will never be.</summary>
    public void Committed()
    {
        lock (_lock)
        {
            _pendingCommits--;
        }
    }

    private long Now => services.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private ErrorCode MayCommit(string memberId, string? instanceId, int generation)
    {
        if (_isDead)
        {
            return ErrorCode.CoordinatorNotAvailable;
        }
        if (generation < 0 && memberId.Length == 0)
        {
            return _state == GroupState.Empty ? ErrorCode.None : ErrorCode.UnknownMemberId;
        }
        ErrorCode error = Check(memberId, instanceId, generation, out GroupMember? member);
        if (error != ErrorCode.None)
        {
            return error;
        }
        Touch(member!);
        return _state == GroupState.CompletingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
    }

    /// <summary>Whether the caller is a member of this generation.</summary>
    private ErrorCode Check(string memberId, string? instanceId, int generation, out GroupMember? member)
    {
        member = _members.Find(m => m.Id == memberId);
        if (instanceId is not null && _staticMembers.TryGetValue(instanceId, out string? current) && current != memberId)
        {
            return ErrorCode.FencedInstanceId;
        }
        return member is null || (instanceId is not null && member.InstanceId != instanceId) ? ErrorCode.UnknownMemberId
            : generation != _generation ? ErrorCode.IllegalGeneration
            : ErrorCode.None;
    }

    private void Add(GroupMember member, TimeSpan aliveFor)
    {
        _members.Add(member);
        if (member.InstanceId is not null)
        {
            _staticMembers[member.InstanceId] = member.Id;
        }
        member.LastSeen = services.Time.GetTimestamp();
        member.Timer = services.Time.CreateTimer(_ => Expire(member), null, aliveFor, Timeout.InfiniteTimeSpan);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Touch(GroupMember member) => member.LastSeen = services.Time.GetTimestamp();

    private void Remove(GroupMember member, string reason)
    {
        member.Timer?.Dispose();
        _members.Remove(member);
        if (member.InstanceId is not null && _staticMembers.GetValueOrDefault(member.InstanceId) == member.Id)
        {
            _staticMembers.Remove(member.InstanceId);
        }
        member.Joining?.TrySetResult(new JoinGroupResponse { ErrorCode = ErrorCode.UnknownMemberId, MemberId = member.Id });
        member.Syncing?.TrySetResult(new SyncGroupResponse { ErrorCode = ErrorCode.UnknownMemberId });
        (member.Joining, member.Syncing) = (null, null);
        if (_leader == member.Id)
        {
            _leader = _members.Count > 0 ? _members[0].Id : null;
        }
        services.Logger.MemberLeft(member.Id, id, reason);
    }

    /// <summary>A member's timer rang: it was seen since, is waiting for us, or is gone.</summary>
    private void Expire(GroupMember member)
    {
        lock (_lock)
        {
            if (_isClosed || !_members.Contains(member))
            {
                return;
            }
            TimeSpan allowed = member.IsNew ? NewMemberTimeout : member.SessionTimeout;
            TimeSpan left = allowed - services.Time.GetElapsedTime(member.LastSeen);
            if (left > TimeSpan.Zero || (member.IsParked && !member.IsNew))
            {
                member.Timer!.Change(left > TimeSpan.Zero ? left : allowed, Timeout.InfiniteTimeSpan);
                return;
            }
            Remove(member, "its session timed out");
            MembersChanged();
        }
    }

    /// <summary>The group's metadata as a record, in its state since then (milliseconds since 1970).</summary>
    private GroupRecord ToRecord(long since)
    {
        var value = new GroupValue
        {
            ProtocolType = _protocolType ?? "",
            Generation = _generation,
            Protocol = _protocol,
            Leader = _leader,
            CurrentStateTimestamp = since,
            Members = [.. _members.Select(member => new GroupValue.Member
            {
                MemberId = member.Id,
                GroupInstanceId = member.InstanceId,
                ClientId = member.ClientId,
                ClientHost = member.ClientHost,
                RebalanceTimeoutMs = (int)member.RebalanceTimeout.TotalMilliseconds,
                SessionTimeoutMs = (int)member.SessionTimeout.TotalMilliseconds,
                Subscription = member.MetadataFor(_protocol),
                Assignment = member.Assignment,
            })],
        };
        return GroupRecords.Group(id, value);
    }
}
