using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Groups;

// From the barrier to a stable group: the leader's assignments are kept durably before anyone is told, so that a restarted broker
// knows the members. Also what members do while the group is stable. Guarded by _lock.
internal sealed partial class Group
{
    /// <summary>Asks for the member's assignment; the leader's request brings them all. Completes when they are durable.</summary>
    public async Task<SyncGroupResponse> SyncAsync(SyncGroupRequest request, CancellationToken cancellation)
    {
        Task<SyncGroupResponse> synced;
        OffsetsPosition? position = null;
        lock (_lock)
        {
            ErrorCode error = Check(request.MemberId, request.GroupInstanceId, request.GenerationId, out GroupMember? member);
            error = error != ErrorCode.None ? error
                : IsOtherProtocol(request) ? ErrorCode.InconsistentGroupProtocol
                : _state == GroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress
                : _state == GroupState.Empty ? ErrorCode.UnknownMemberId
                : ErrorCode.None;
            if (error != ErrorCode.None)
            {
                return new SyncGroupResponse { ErrorCode = error };
            }
            Touch(member!);
            member!.HasSynced = true;
            if (_state == GroupState.Stable)
            {
                return Synced(member);
            }
            member.Syncing?.TrySetResult(new SyncGroupResponse { ErrorCode = ErrorCode.RebalanceInProgress });
            member.Syncing = new(TaskCreationOptions.RunContinuationsAsynchronously);
            synced = member.Syncing.Task;
            if (member.Id == _leader)
            {
                position = TryAssign(request);
            }
        }
        if (position is { } end)
        {
            await CompleteAsync(end, request.GenerationId, cancellation);
        }
        return await synced;
    }

    /// <summary>Shows that the member lives; tells it of a rebalance.</summary>
    public ErrorCode Heartbeat(HeartbeatRequest request)
    {
        lock (_lock)
        {
            ErrorCode error = Check(request.MemberId, request.GroupInstanceId, request.GenerationId, out GroupMember? member);
            if (error != ErrorCode.None)
            {
                return error;
            }
            Touch(member!);
            return _state == GroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
        }
    }

    /// <summary>Removes a member, by its id or, for a static one, by its instance id alone.</summary>
    public ErrorCode Leave(string memberId, string? instanceId)
    {
        lock (_lock)
        {
            if (_outstanding.Remove(memberId, out ITimer? outstanding))
            {
                outstanding.Dispose();
                MembersChanged();
                return ErrorCode.None;
            }
            if (instanceId is not null)
            {
                if (!_staticMembers.TryGetValue(instanceId, out string? current))
                {
                    return ErrorCode.UnknownMemberId;
                }
                if (memberId.Length > 0 && memberId != current)
                {
                    return ErrorCode.FencedInstanceId;
                }
                memberId = current;
            }
            if (_members.Find(member => member.Id == memberId) is not { } leaving)
            {
                return ErrorCode.UnknownMemberId;
            }
            Remove(leaving, "it said so");
            MembersChanged();
            return ErrorCode.None;
        }
    }

    private bool IsOtherProtocol(SyncGroupRequest request) =>
        (request.ProtocolType is { } type && type != _protocolType) || (request.ProtocolName is { } name && name != _protocol);

    /// <summary>Takes the leader's assignments and appends them; null when the disk refused, which all who wait are told.</summary>
    private OffsetsPosition? TryAssign(SyncGroupRequest request)
    {
        foreach (GroupMember member in _members)
        {
            member.Assignment = request.Assignments.Find(a => a.MemberId == member.Id)?.AssignmentValue.ToArray() ?? [];
        }
        return Persist();
    }

    private async Task CompleteAsync(OffsetsPosition position, int generation, CancellationToken cancellation)
    {
        ErrorCode error = ErrorCode.None;
        try
        {
            await position.FlushedAsync(cancellation);
        }
        catch (IOException e)
        {
            services.Logger.AppendFailed(e, position.Partition.Topic, position.Partition.Number);
            error = ErrorCode.CoordinatorNotAvailable;
        }
        lock (_lock)
        {
            if (_state == GroupState.CompletingRebalance && _generation == generation)
            {
                AnswerSyncs(error);
            }
        }
    }

    private void AnswerSyncs(ErrorCode error)
    {
        _state = error == ErrorCode.None ? GroupState.Stable : _state;
        foreach (GroupMember member in _members)
        {
            if (member.Syncing is { } syncing)
            {
                member.Syncing = null;
                Touch(member);
                syncing.TrySetResult(error == ErrorCode.None ? Synced(member) : new SyncGroupResponse { ErrorCode = error });
            }
        }
        if (error == ErrorCode.None && _members.TrueForAll(member => member.HasSynced))
        {
            _barrier?.Dispose();
            _barrier = null;
        }
    }

    private SyncGroupResponse Synced(GroupMember member) =>
        new() { ProtocolType = _protocolType, ProtocolName = _protocol, Assignment = member.Assignment };

    /// <summary>The rebalance timeout is up: members that joined and never asked for their assignment are gone.</summary>
    private void RemoveThoseWhoNeverSynced()
    {
        List<GroupMember> silent = [.. _members.Where(member => !member.HasSynced)];
        silent.ForEach(member => Remove(member, "it did not ask for its assignment in time"));
        if (silent.Count > 0)
        {
            MembersChanged();
        }
    }

    /// <summary>Appends the group's metadata; null when the disk refused.</summary>
    private OffsetsPosition? Persist()
    {
        try
        {
            return services.Offsets.Append(id, [ToRecord(Now)]);
        }
        catch (IOException e)
        {
            services.Logger.AppendFailed(e, TopicName.Offsets, -1);
            AnswerSyncs(ErrorCode.CoordinatorNotAvailable);
            return null;
        }
    }
}
