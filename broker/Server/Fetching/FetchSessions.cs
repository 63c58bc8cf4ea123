using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Fetching;

// _lock guards _sessions and LastUsed. A full table gives up the session that was unused longest, if that is two minutes at least;
// otherwise the newcomer gets none, which clients take.
/// <summary>The fetch sessions of all clients.</summary>
internal sealed class FetchSessions(int slots, TimeProvider time, Random random)
{
    private static readonly TimeSpan UnusedMin = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, FetchSession> _sessions = [];

    /// <summary>What a request reads and in which session; an error for the whole request when the session is not as it says.</summary>
    public ErrorCode Begin(FetchRequest request, bool byTopicId, out FetchTurn turn)
    {
        if (request.SessionEpoch <= 0)
        {
            Close(request.SessionId);
            FetchSession? opened = request.SessionEpoch == 0 ? Open(request, byTopicId) : null;
            turn = opened is null
                ? new FetchTurn(null, [.. request.Topics.SelectMany(t => t.Partitions.Select(p => FetchPartition.Of(t, p)))], IsFull: true)
                : new FetchTurn(opened, opened.Begin(request), IsFull: true);
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
            if (_sessions.Count >= slots && !TryEvict())
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
        return oldest is not null && time.GetElapsedTime(oldest.LastUsed) >= UnusedMin && _sessions.Remove(oldest.Id);
    }

    private void Close(int id)
    {
        lock (_lock)
        {
            _sessions.Remove(id);
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
