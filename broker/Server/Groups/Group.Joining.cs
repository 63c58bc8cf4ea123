using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Groups;

// Joining, and the barrier that closes it. The first members of an empty group wait group.initial.rebalance.delay.ms, prolonged by
// the same step for each further one; later barriers open when every known member has come back and no id handed out is outstanding,
// or when the longest rebalance timeout is up. Guarded by _lock.
internal sealed partial class Group
{
    /// <summary>How long a member may be parked in its very first join.</summary>
    private static readonly TimeSpan NewMemberTimeout = TimeSpan.FromMinutes(5);

    /// <summary>Ids handed out with "member id required" that have not come back, with the timers that forget them.</summary>
    private readonly Dictionary<string, ITimer> _outstanding = new(StringComparer.Ordinal);
    private ITimer? _barrier;
    private bool _isInitialDelay;
    private bool _joinedDuringDelay;
    private TimeSpan _delayLeft;

    /// <summary>Enters the group; completes when the barrier opens.</summary>
    public Task<JoinGroupResponse> JoinAsync(JoinGroupRequest request, RequestContext context)
    {
        lock (_lock)
        {
            if (_isDead || !Supports(request))
            {
                return Refuse(request.MemberId, _isDead ? ErrorCode.CoordinatorNotAvailable : ErrorCode.InconsistentGroupProtocol);
            }
            if (request.MemberId.Length == 0)
            {
                return request.GroupInstanceId is null ? JoinNew(request, context) : JoinStatic(request, context);
            }
            if (_outstanding.Remove(request.MemberId, out ITimer? outstanding))
            {
                outstanding.Dispose();
                return Enter(request.MemberId, request, context);
            }
            ErrorCode error = Check(request.MemberId, request.GroupInstanceId, _generation, out GroupMember? member);
            return error == ErrorCode.None ? Rejoin(member!, request) : Refuse(request.MemberId, error);
        }
    }

    private Task<JoinGroupResponse> JoinNew(JoinGroupRequest request, RequestContext context)
    {
        if (_members.Count + _outstanding.Count >= services.Settings.GroupSizeMax)
        {
            return Refuse("", ErrorCode.GroupMaxSizeReached);
        }
        string memberId = services.Ids.Next(context.ClientId);
        if (context.Version < 4)
        {
            return Enter(memberId, request, context);
        }
        TimeSpan session = TimeSpan.FromMilliseconds(request.SessionTimeoutMs);
        _outstanding.Add(memberId, services.Time.CreateTimer(_ => ForgetOutstanding(memberId), null, session, Timeout.InfiniteTimeSpan));
        return Refuse(memberId, ErrorCode.MemberIdRequired);
    }

    private Task<JoinGroupResponse> JoinStatic(JoinGroupRequest request, RequestContext context)
    {
        string memberId = services.Ids.Next(request.GroupInstanceId!);
        return _staticMembers.TryGetValue(request.GroupInstanceId!, out string? oldId)
            ? Replace(_members.Find(member => member.Id == oldId)!, memberId, request, context)
            : _members.Count >= services.Settings.GroupSizeMax ? Refuse("", ErrorCode.GroupMaxSizeReached)
            : Enter(memberId, request, context);
    }

    private Task<JoinGroupResponse> Enter(string memberId, JoinGroupRequest request, RequestContext context)
    {
        var member = new GroupMember(memberId, request.GroupInstanceId, context.ClientId, context.Connection.ClientHost);
        member.Take(request);
        Add(member, NewMemberTimeout);
        _protocolType = request.ProtocolType;
        _leader ??= memberId;
        _joinedDuringDelay = true;
        return Park(member);
    }

    private Task<JoinGroupResponse> Rejoin(GroupMember member, JoinGroupRequest request)
    {
        Touch(member);
        bool unchanged = member.SaysTheSame(request);
        bool isLeader = member.Id == _leader;
        if (unchanged && (_state == GroupState.CompletingRebalance || (_state == GroupState.Stable && !isLeader)))
        {
            return Task.FromResult(Joined(member));
        }
        member.Take(request);
        return Park(member);
    }

    /// <summary>A static member's client was started again: same place in the group under a new id; the old id is fenced.</summary>
    private Task<JoinGroupResponse> Replace(GroupMember old, string memberId, JoinGroupRequest request, RequestContext context)
    {
        var member = new GroupMember(memberId, request.GroupInstanceId, context.ClientId, context.Connection.ClientHost)
        {
            Assignment = old.Assignment,
            IsNew = false,
            HasSynced = old.HasSynced,
        };
        member.Take(request);
        string? leaderBefore = _leader;
        int place = _members.IndexOf(old);
        old.Joining?.TrySetResult(new JoinGroupResponse { ErrorCode = ErrorCode.FencedInstanceId, MemberId = old.Id });
        old.Syncing?.TrySetResult(new SyncGroupResponse { ErrorCode = ErrorCode.FencedInstanceId });
        old.Timer?.Dispose();
        _members.RemoveAt(place);
        Add(member, member.SessionTimeout);
        _members.RemoveAt(_members.Count - 1);
        _members.Insert(place, member);
        _leader = leaderBefore == old.Id ? memberId : leaderBefore;
        if (_state != GroupState.Stable || SelectProtocol() != _protocol)
        {
            return Park(member);
        }
        Persist();
        JoinGroupResponse response = Joined(member);
        bool leads = _leader == memberId;
        response.SkipAssignment = leads && context.Version >= 9;
        if (leads && context.Version < 9)
        {
            response.Leader = leaderBefore!;
            response.Members = [];
        }
        return Task.FromResult(response);
    }

    private Task<JoinGroupResponse> Park(GroupMember member)
    {
        member.Joining?.TrySetResult(new JoinGroupResponse { ErrorCode = ErrorCode.RebalanceInProgress, MemberId = member.Id });
        member.Joining = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<JoinGroupResponse> joined = member.Joining.Task;
        MembersChanged();
        return joined;
    }

    /// <summary>Begins a rebalance, or looks whether the one under way can be completed.</summary>
    private void MembersChanged()
    {
        if (_state == GroupState.PreparingRebalance)
        {
            TryOpenBarrier();
        }
        else if (_state != GroupState.Empty || _members.Count > 0)
        {
            BeginRebalance();
        }
    }

    private void BeginRebalance()
    {
        foreach (GroupMember member in _members.Where(member => member.Syncing is not null))
        {
            member.Syncing!.TrySetResult(new SyncGroupResponse { ErrorCode = ErrorCode.RebalanceInProgress });
            member.Syncing = null;
        }
        _isInitialDelay = _state == GroupState.Empty && services.Settings.InitialRebalanceDelay > TimeSpan.Zero;
        _state = GroupState.PreparingRebalance;
        if (_isInitialDelay)
        {
            TimeSpan step = services.Settings.InitialRebalanceDelay;
            (_joinedDuringDelay, _delayLeft) = (false, RebalanceTimeoutMax - step);
            SetBarrier(step);
        }
        else
        {
            SetBarrier(RebalanceTimeoutMax);
            TryOpenBarrier();
        }
    }

    private TimeSpan RebalanceTimeoutMax => _members.Count == 0 ? TimeSpan.Zero : _members.Max(member => member.RebalanceTimeout);

    private void SetBarrier(TimeSpan wait)
    {
        _barrier?.Dispose();
        ITimer? own = null;
        own = services.Time.CreateTimer(_ => BarrierRang(own), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _barrier = own;
        own.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void BarrierRang(ITimer? barrier)
    {
        lock (_lock)
        {
            if (_isClosed || barrier != _barrier)
            {
                return;
            }
            if (_state is GroupState.CompletingRebalance or GroupState.Stable)
            {
                RemoveThoseWhoNeverSynced();
            }
            else if (_isInitialDelay && _joinedDuringDelay && _delayLeft > TimeSpan.Zero)
            {
                TimeSpan step = TimeSpan.FromTicks(Math.Min(services.Settings.InitialRebalanceDelay.Ticks, _delayLeft.Ticks));
                (_joinedDuringDelay, _delayLeft) = (false, _delayLeft - step);
                SetBarrier(step);
            }
            else if (_state == GroupState.PreparingRebalance)
            {
                OpenBarrier();
            }
        }
    }

    private void TryOpenBarrier()
    {
        if (!_isInitialDelay && _outstanding.Count == 0 && _members.All(member => member.Joining is not null))
        {
            OpenBarrier();
        }
    }

    /// <summary>Completes the join: a new generation of those who are here, and of static members who are expected back.</summary>
    private void OpenBarrier()
    {
        foreach (GroupMember absent in _members.Where(member => member.Joining is null && member.InstanceId is null).ToList())
        {
            Remove(absent, "it did not rejoin in time");
        }
        if (_members.Count > 0 && _members.All(member => member.Joining is null))
        {
            SetBarrier(RebalanceTimeoutMax);
            return;
        }
        _isInitialDelay = false;
        _barrier?.Dispose();
        _barrier = null;
        _generation++;
        services.Telemetry.Rebalanced();
        if (_members.Count == 0)
        {
            (_state, _protocol, _leader) = (GroupState.Empty, null, null);
            _emptySince = Now;
            Persist();
        }
        else
        {
            Announce();
        }
        services.Logger.Rebalanced(id, _generation, _members.Count, _protocol);
    }

    private void Announce()
    {
        _state = GroupState.CompletingRebalance;
        _protocol = SelectProtocol();
        if (_members.Find(member => member.Id == _leader)?.Joining is null)
        {
            _leader = _members.First(member => member.Joining is not null).Id;
        }
        SetBarrier(RebalanceTimeoutMax);
        foreach (GroupMember member in _members)
        {
            member.HasSynced = member.Joining is null;
            member.IsNew = false;
            Touch(member);
            member.Timer!.Change(member.SessionTimeout, Timeout.InfiniteTimeSpan);
            member.Joining?.TrySetResult(Joined(member));
            member.Joining = null;
        }
    }

    /// <summary>The generation as one member is told it; only the leader hears of the others.</summary>
    private JoinGroupResponse Joined(GroupMember member) => new()
    {
        GenerationId = _generation,
        ProtocolType = _protocolType,
        ProtocolName = _protocol,
        Leader = _leader ?? "",
        MemberId = member.Id,
        Members = member.Id != _leader ? [] : [.. _members.Select(other => new JoinGroupResponse.Member
        {
            MemberId = other.Id,
            GroupInstanceId = other.InstanceId,
            Metadata = other.MetadataFor(_protocol),
        })],
    };

    private string? SelectProtocol() => ProtocolChoice.Choose([.. _members.Select(member => member.ProtocolNames)]);

    /// <summary>Whether the group can go on with this member: same protocol type, a protocol that all others know.</summary>
    private bool Supports(JoinGroupRequest request)
    {
        if (request.ProtocolType.Length == 0 || request.Protocols.Count == 0)
        {
            return false;
        }
        List<GroupMember> others = [.. _members.Where(member => member.Id != request.MemberId
            && (request.GroupInstanceId is null || member.InstanceId != request.GroupInstanceId))];
        if (others.Count == 0)
        {
            return true;
        }
        Dictionary<string, int> supporters = ProtocolChoice.Supporters(others.Select(member => member.ProtocolNames));
        return _protocolType == request.ProtocolType
            && request.Protocols.Exists(asked => supporters.GetValueOrDefault(asked.Name) == others.Count);
    }

    private void ForgetOutstanding(string memberId)
    {
        lock (_lock)
        {
            if (!_isClosed && _outstanding.Remove(memberId, out ITimer? timer))
            {
                timer.Dispose();
                MembersChanged();
            }
        }
    }

    private static Task<JoinGroupResponse> Refuse(string memberId, ErrorCode error) =>
        Task.FromResult(new JoinGroupResponse { ErrorCode = error, MemberId = memberId });
}
