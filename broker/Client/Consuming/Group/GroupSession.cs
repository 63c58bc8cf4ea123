using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Consuming.Group;

/// <summary>
/// Our membership: member id, generation, and the heartbeat loop that keeps them alive while the application is busy. It notices; the
/// poll acts. <c>_gate</c> guards all mutable fields. Transitions: out → (join, sync) → stable → rejoin wanted → …; stable → lost → out.
/// </summary>
internal sealed class GroupSession(ConsumerOptions options, ClusterClient cluster, AsyncSignal wakePoll) : IAsyncDisposable
{
    private readonly string _group = options.Group!;
    private readonly int _lane = cluster.NewLane();
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private string _memberId = "";
    private int _generation = -1;
    private bool _isStable;
    private bool _isLost;
    private bool _wantsJoin = true;
    private long? _pollEnded;
    private Exception? _fatal;
    private Task? _heartbeats;

    public Membership Membership
    {
        get
        {
            lock (_gate)
            {
                return new Membership(_group, _memberId, _generation, options.InstanceId);
            }
        }
    }

    /// <summary>Whether the poll is to join (again).</summary>
    public bool WantsJoin
    {
        get
        {
            lock (_gate)
            {
                return _wantsJoin;
            }
        }
    }

    /// <summary>What ended the membership for good, if anything did.</summary>
    public Exception? Fatal
    {
        get
        {
            lock (_gate)
            {
                return _fatal;
            }
        }
    }

    internal int Lane => _lane;

    internal CancellationToken Closed => _closed.Token;

    /// <summary>True once after the membership ended without our doing: what we owned may be another's already.</summary>
    public bool TakeLost()
    {
        lock (_gate)
        {
            bool lost = _isLost;
            _isLost = false;
            return lost;
        }
    }

    public void RequestJoin()
    {
        lock (_gate)
        {
            _wantsJoin = true;
        }
        wakePoll.Set();
    }

    public void PollBegins()
    {
        lock (_gate)
        {
            _pollEnded = null;
        }
    }

    public void PollEnds()
    {
        lock (_gate)
        {
            _pollEnded = cluster.Time.GetTimestamp();
        }
    }

    /// <summary>A join is under way: no heartbeats, the broker knows us by the join.</summary>
    internal void Joining()
    {
        lock (_gate)
        {
            _isStable = false;
            _wantsJoin = false;
        }
    }

    internal void Identify(string memberId)
    {
        lock (_gate)
        {
            _memberId = memberId;
        }
    }

    internal void Joined(int generation)
    {
        lock (_gate)
        {
            _generation = generation;
            _isStable = true;
        }
        _heartbeats ??= BeatAsync();
    }

    /// <summary>The broker does not know us (any more), or knows a newer generation.</summary>
    internal void Reset(ErrorCode code)
    {
        lock (_gate)
        {
            if (code != ErrorCode.IllegalGeneration)
            {
                _memberId = "";
            }
            _isLost |= _generation >= 0;
            _generation = -1;
            _isStable = false;
            _wantsJoin = true;
        }
        wakePoll.Set();
    }

    internal ValueTask<BrokerConnection> CoordinatorAsync(CancellationToken ct) => cluster.CoordinatorAsync(_group, _lane, ct);

    /// <summary>Ends the heartbeats and, for a dynamic member, the membership.</summary>
    public async ValueTask DisposeAsync()
    {
        _closed.Cancel();
        if (_heartbeats is not null)
        {
            await _heartbeats;
        }
        await LeaveAsync();
        await cluster.CloseLaneAsync(_lane);
    }

    private async Task BeatAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.HeartbeatInterval, cluster.Time, _closed.Token);
                Membership? member = Due(out bool isIdle);
                if (isIdle)
                {
                    await LeaveAsync();
                    Reset(ErrorCode.UnknownMemberId);
                }
                else if (member is not null)
                {
                    await BeatOnceAsync(member);
                }
            }
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            // The session is being closed.
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>Who is to send a heartbeat now; nobody while joining, and a consumer that stopped polling has to leave.</summary>
    private Membership? Due(out bool isIdle)
    {
        lock (_gate)
        {
            isIdle = _isStable && _pollEnded is { } ended && cluster.Time.GetElapsedTime(ended) > options.PollIntervalMax;
            return _isStable ? new Membership(_group, _memberId, _generation, options.InstanceId) : null;
        }
    }

    private async ValueTask BeatOnceAsync(Membership member)
    {
        ErrorCode code;
        try
        {
            BrokerConnection coordinator = await CoordinatorAsync(_closed.Token);
            var request = new HeartbeatRequest
            {
                GroupId = _group,
                MemberId = member.MemberId,
                GenerationId = member.Generation,
                GroupInstanceId = member.InstanceId,
            };
            HeartbeatResponse answer = await coordinator.SendAsync<HeartbeatRequest, HeartbeatResponse>(
                request, short.MaxValue, options.SessionTimeout, _closed.Token);
            code = answer.ErrorCode;
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e))
        {
            code = ErrorCode.CoordinatorNotAvailable;
        }
        if (Membership != member)
        {
            return;
        }
        switch (code)
        {
            case ErrorCode.None:
                break;
            case ErrorCode.RebalanceInProgress:
                RequestJoin();
                break;
            case ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId:
                Reset(code);
                break;
            case ErrorCode.CoordinatorNotAvailable or ErrorCode.NotCoordinator or ErrorCode.CoordinatorLoadInProgress:
                cluster.InvalidateCoordinator(_group);
                break;
            default:
                // What does not pass, the join is told too, and each poll then: it may be mended meanwhile.
                if (!code.IsRetriable())
                {
                    RequestJoin();
                }
                break;
        }
    }

    private void Fail(Exception e)
    {
        lock (_gate)
        {
            _fatal ??= e;
            _isStable = false;
        }
        wakePoll.Set();
    }

    /// <summary>Tells the broker that we go; a static member stays known, and an unreachable broker finds out by itself.</summary>
    private async ValueTask LeaveAsync()
    {
        Membership member = Membership;
        if (member.MemberId.Length == 0 || options.InstanceId is not null)
        {
            return;
        }
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5), cluster.Time);
        try
        {
            BrokerConnection coordinator = await CoordinatorAsync(late.Token);
            var request = new LeaveGroupRequest
            {
                GroupId = _group,
                MemberId = member.MemberId,
                Members = [new() { MemberId = member.MemberId, Reason = "consumer closed or not polling" }],
            };
            await coordinator.SendAsync<LeaveGroupRequest, LeaveGroupResponse>(request, late.Token);
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e) || e is OperationCanceledException or ObjectDisposedException)
        {
            // The session timeout will remove us.
        }
    }
}
