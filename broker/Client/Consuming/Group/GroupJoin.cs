using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming.Assignors;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Consuming.Group;

/// <summary>
/// From "wants to join" to an assignment: JoinGroup (held by the broker until all have come), the leader's sharing out, SyncGroup.
/// Repeats itself while the group moves; ends with an assignment or with an error that joining again cannot mend.
/// </summary>
internal sealed class GroupJoin(ConsumerOptions options, ClusterClient cluster, GroupSession session, TopicSelection selection)
{
    private readonly IReadOnlyList<IAssignor> _assignors = [.. options.Assignments.Select(AssignorTable.Of)];

    /// <summary>Whether members keep partitions through rebalances: only if all the assignors we offer agree on it.</summary>
    public bool IsCooperative => _assignors.All(a => a.IsCooperative);

    /// <summary>The topics that this member joins with, in ordinal order: the named ones and those that the pattern took at the last join.</summary>
    public IReadOnlyList<string> Topics { get; private set; } = selection.Among([]);

    /// <summary>Whether which topics these are changes with what topics there are.</summary>
    public bool IsByPattern => selection.Pattern is not null;

    /// <summary>Partition counts that this member, as leader, shared out; null for followers.</summary>
    public SortedDictionary<string, int>? SharedCounts { get; private set; }

    /// <summary>Joins; <paramref name="owned"/> is kept through it, <paramref name="had"/> is what the last generation gave, for assignors that give it back.</summary>
    public async Task<IReadOnlyList<TopicPartition>> RunAsync(IReadOnlyList<TopicPartition> owned, IReadOnlyList<TopicPartition> had, CancellationToken ct)
    {
        for (int failures = 0; ;)
        {
            session.Joining();
            ErrorCode code;
            try
            {
                (code, IReadOnlyList<TopicPartition>? assigned) = await TryAsync(owned, had, ct);
                if (assigned is not null)
                {
                    ClientMetrics.Rebalances.Add(1);
                    return assigned;
                }
            }
            catch (Exception e) when (DeadlineRetry.IsTransient(e))
            {
                code = ErrorCode.CoordinatorNotAvailable;
            }
            switch (code)
            {
                case ErrorCode.MemberIdRequired:
                    continue;
                case ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration:
                    session.Reset(code);
                    break;
                case ErrorCode.RebalanceInProgress:
                    break;
                case var _ when code.IsRetriable():
                    cluster.InvalidateCoordinator(options.Group!);
                    break;
                default:
                    throw new BrokerErrorException(code, $"joining group '{options.Group}': {code}");
            }
            await Task.Delay(cluster.Options.BackOff.Delay(failures++, cluster.Random.NextDouble()), cluster.Time, ct);
        }
    }

    private async ValueTask<(ErrorCode Code, IReadOnlyList<TopicPartition>? Assigned)> TryAsync(
        IReadOnlyList<TopicPartition> owned, IReadOnlyList<TopicPartition> had, CancellationToken ct)
    {
        Topics = await TopicsAsync(ct);
        BrokerConnection coordinator = await session.CoordinatorAsync(ct);
        JoinGroupResponse joined = await JoinAsync(coordinator, owned, had, ct);
        if (joined.ErrorCode != ErrorCode.None)
        {
            if (joined.ErrorCode == ErrorCode.MemberIdRequired)
            {
                session.Identify(joined.MemberId);
            }
            return (joined.ErrorCode, null);
        }
        session.Identify(joined.MemberId);
        bool isLeader = joined.Leader == joined.MemberId && !joined.SkipAssignment;
        List<SyncGroupRequest.Assignment> shares = isLeader ? await ShareAsync(joined, ct) : [];
        SharedCounts = isLeader ? SharedCounts : null;
        var request = new SyncGroupRequest
        {
            GroupId = options.Group!,
            GenerationId = joined.GenerationId,
            MemberId = joined.MemberId,
            GroupInstanceId = options.InstanceId,
            ProtocolType = ConsumerProtocol.Type,
            ProtocolName = joined.ProtocolName,
            Assignments = shares,
        };
        SyncGroupResponse synced = await coordinator.SendAsync<SyncGroupRequest, SyncGroupResponse>(request, short.MaxValue, HeldFor, ct);
        if (synced.ErrorCode != ErrorCode.None)
        {
            return (synced.ErrorCode, null);
        }
        session.Joined(joined.GenerationId);
        return (ErrorCode.None, ConsumerProtocol.ReadAssignment(synced.Assignment));
    }

    /// <summary>The broker may hold joins as long as the slowest member may take.</summary>
    private TimeSpan HeldFor => options.PollIntervalMax + TimeSpan.FromSeconds(10);

    private Task<JoinGroupResponse> JoinAsync(
        BrokerConnection coordinator, IReadOnlyList<TopicPartition> owned, IReadOnlyList<TopicPartition> had, CancellationToken ct)
    {
        Membership member = session.Membership;
        var request = new JoinGroupRequest
        {
            GroupId = options.Group!,
            SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds,
            RebalanceTimeoutMs = (int)options.PollIntervalMax.TotalMilliseconds,
            MemberId = member.MemberId,
            GroupInstanceId = options.InstanceId,
            ProtocolType = ConsumerProtocol.Type,
            Protocols =
            [
                .. _assignors.Select(a => new JoinGroupRequest.Protocol
                {
                    Name = a.Name,
                    Metadata = ConsumerProtocol.WriteSubscription(new Subscription(Topics, owned, member.Generation, a.UserData(had, member.Generation))),
                }),
            ],
        };
        return coordinator.SendAsync<JoinGroupRequest, JoinGroupResponse>(request, short.MaxValue, HeldFor, ct);
    }

    private async ValueTask<List<SyncGroupRequest.Assignment>> ShareAsync(JoinGroupResponse joined, CancellationToken ct)
    {
        IAssignor assignor = _assignors.FirstOrDefault(a => a.Name == joined.ProtocolName)
            ?? throw new InvalidDataException($"the broker chose assignor '{joined.ProtocolName}', which we did not offer");
        List<AssignmentMember> members = [.. joined.Members.Select(m => new AssignmentMember(m.MemberId, m.GroupInstanceId, ConsumerProtocol.ReadSubscription(m.Metadata)))];
        SharedCounts = await CountsAsync(members.SelectMany(m => m.Subscription.Topics).Distinct().Order(StringComparer.Ordinal).ToList(), ct);
        SortedDictionary<string, int> known = new(StringComparer.Ordinal);
        foreach ((string topic, int count) in SharedCounts.Where(c => c.Value > 0))
        {
            known[topic] = count;
        }
        return
        [
            .. assignor.Assign(members, known)
                .Select(s => new SyncGroupRequest.Assignment { MemberId = s.Key, AssignmentValue = ConsumerProtocol.WriteAssignment(s.Value) }),
        ];
    }

    /// <summary>The topics that are wanted as of now.</summary>
    public async ValueTask<IReadOnlyList<string>> TopicsAsync(CancellationToken ct)
    {
        if (!IsByPattern)
        {
            return Topics;
        }
        MetadataResponse all = await cluster.MetadataAsync(null, create: false, ct);
        return selection.Among(all.Topics.Where(t => t.ErrorCode == ErrorCode.None && !t.IsInternal && t.Name is not null).Select(t => t.Name!));
    }

    /// <summary>Partitions of each topic now, 0 where it does not exist (yet).</summary>
    public async ValueTask<SortedDictionary<string, int>> CountsAsync(IReadOnlyList<string> wanted, CancellationToken ct)
    {
        // What a pattern took may have been deleted since, and is not to come back.
        MetadataResponse answer = await cluster.MetadataAsync(wanted, cluster.Options.AutoCreateTopics && !IsByPattern, ct);
        SortedDictionary<string, int> counts = new(StringComparer.Ordinal);
        foreach (string topic in wanted)
        {
            counts[topic] = answer.Topics.Find(t => t.Name == topic && t.ErrorCode == ErrorCode.None)?.Partitions.Count ?? 0;
        }
        return counts;
    }
}
