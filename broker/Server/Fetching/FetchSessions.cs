using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Fetching;

// _lock guards _sessions, _partitions, and each session's LastUsed and Counted. A full table drops the session that was unused longest,
// if that is two minutes at least; otherwise the newcomer gets none, which clients accept. The table is full when it has as many
// sessions as slots, or when the sessions together remember PartitionsMax partitions: a client decides how many a session names.
/// <summary>The fetch sessions of all clients.</summary>
internal sealed class FetchSessions(int slots, TimeProvider time, Random random)
{
    /// <summary>Partitions that all sessions remember together: 50 MB at most.</summary>
    public const int PartitionsMax = 250_000;

    private static readonly TimeSpan UnusedMin = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, FetchSession> _sessions = [];
    private int _partitions;

    /// <summary>What a request reads and in which session; an error for the whole request when the session is not as it says.</summary>
    public ErrorCode Begin(FetchRequest request, bool byTopicId, out FetchTurn turn)
    {
        if (request.SessionEpoch <= 0)
        {
            Close(request.SessionId);
            FetchSession? opened = request.SessionEpoch == 0 ? Open(request, byTopicId) : null;
            IReadOnlyList<FetchPartition> asked = opened?.Begin(request)
                ?? [.. request.Topics.SelectMany(t => t.Partitions.Select(p => FetchPartition.Of(t, p)))];
            bool isKept = opened is not null && TryCount(opened);
            turn = new FetchTurn(isKept ? opened : null, asked, IsFull: true);
            return ErrorCode.None;
        }
        turn = FetchTurn.None;
        if (Find(request.SessionId) is not { } session)
        {
            return ErrorCode.FetchSessionIdNotFound;
        }
        if (session.ByTopicId != byTopicId)
        {
            return ErrorCode.FetchSessionTopicIdError;
        }
        if (!session.TryUpdate(request, out IReadOnlyList<FetchPartition> partitions))
        {
            return ErrorCode.InvalidFetchSessionEpoch;
        }
        if (!TryCount(session))
        {
            return ErrorCode.FetchSessionIdNotFound; // the client then asks anew, in full
        }
        turn = new FetchTurn(session, partitions, IsFull: false);
        return ErrorCode.None;
    }

    private FetchSession? Find(int id)
    {
        lock (_lock)
        {
            if (_sessions.TryGetValue(id, out FetchSession? session))
            {
                session.LastUsed = time.GetTimestamp();
            }
            return session;
        }
    }

    private FetchSession? Open(FetchRequest request, bool byTopicId)
    {
        if (request.Topics.Count == 0)
        {
            return null;
        }
        lock (_lock)
        {
            if ((_sessions.Count >= slots || _partitions >= PartitionsMax) && !TryEvict())
            {
                return null;
            }
            int id;
            do
            {
                id = random.Next(1, int.MaxValue);
            }
            while (_sessions.ContainsKey(id));
            var session = new FetchSession(id, byTopicId) { LastUsed = time.GetTimestamp() };
            _sessions.Add(id, session);
            return session;
        }
    }

    private bool TryEvict()
    {
        FetchSession? oldest = _sessions.Values.MinBy(session => session.LastUsed);
        return oldest is not null && time.GetElapsedTime(oldest.LastUsed) >= UnusedMin && Remove(oldest.Id);
    }

    /// <summary>Counts a session's partitions; a session that makes them too many is closed.</summary>
    private bool TryCount(FetchSession session)
    {
        int count = session.Count;
        lock (_lock)
        {
            if (!_sessions.ContainsKey(session.Id))
            {
                return false;
            }
            _partitions += count - session.Counted;
            session.Counted = count;
            return _partitions <= PartitionsMax || !Remove(session.Id);
        }
    }

    // Under _lock.
    private bool Remove(int id)
    {
        _partitions -= _sessions.TryGetValue(id, out FetchSession? session) ? session.Counted : 0;
        return _sessions.Remove(id);
    }

    private void Close(int id)
    {
        lock (_lock)
        {
            Remove(id);
        }
    }
}

/// <summary>One request's part in its session.</summary>
/// <param name="Session">The session; null for a request without.</param>
/// <param name="Partitions">What to read, in this order.</param>
/// <param name="IsFull">Whether the answer must name every partition.</param>
internal sealed record FetchTurn(FetchSession? Session, IReadOnlyList<FetchPartition> Partitions, bool IsFull)
{
    public static FetchTurn None { get; } = new(null, [], true);
}
