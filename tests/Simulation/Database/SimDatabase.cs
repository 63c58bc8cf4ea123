using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Database;

/// <summary>
/// A transactional database in memory: READ COMMITTED, row locks held to the end of the transaction, sessions that end when
/// their client does (late), when told to, and when the server restarts. Its contents survive everything but a restore.
/// </summary>
public sealed class SimDatabase
{
    private readonly List<Session> _sessions = [];
    private readonly List<Operation> _blocked = [];
    private readonly Dictionary<object, Session> _locks = [];

    public SimDatabase(World world)
    {
        World = world;
        Span<byte> id = stackalloc byte[16];
        world.Random.NextBytes(id);
        Tables.LedgerId = new Guid(id);
    }

    public World World { get; }

    public Tables Tables { get; private set; } = new();

    public DatabaseFaults Faults { get; } = new();

    public DatabasePlants Plants { get; } = new();

    /// <summary>What the rows table takes.</summary>
    public TableRules Table { get; } = new();

    public bool IsUp { get; private set; } = true;

    internal int NextSourceId { get; set; } = 1;

    /// <summary>Told after each commit, with the session that committed.</summary>
    internal Action<Session>? Committed { get; set; }

    /// <summary>Told when the tables were replaced by older ones.</summary>
    public Action? Restored { get; set; }

    /// <summary>All sessions end; nothing answers until <see cref="Start"/>.</summary>
    public void Stop()
    {
        World.Trace.Say(null, "the database stops");
        IsUp = false;
        foreach (Session session in _sessions.ToArray())
        {
            End(session, "the server is shutting down");
        }
    }

    public void Start()
    {
        World.Trace.Say(null, "the database runs again");
        IsUp = true;
    }

    /// <summary>Goes back to a backup.</summary>
    public void Restore(Tables backup)
    {
        Stop();
        World.Trace.Say(null, $"the database is restored: {Tables.Rows.Count} rows become {backup.Rows.Count}");
        Tables = backup.Copy();
        Restored?.Invoke();
    }

    internal Session Open(bool isPaused = false)
    {
        var session = new Session { BeganPaused = isPaused };
        _sessions.Add(session);
        return session;
    }

    /// <summary>Runs an operation, now or when the locks it needs are free.</summary>
    internal void Run(Operation operation)
    {
        if (!IsUp || operation.Session.EndedBecause is not null)
        {
            operation.Answer(new IOException(operation.Session.EndedBecause ?? "connection refused"));
            return;
        }
        if (!operation.Try())
        {
            _blocked.Add(operation);
            World.After(operation.Patience, () => OutOfPatience(operation));
        }
    }

    /// <summary>Takes a row's lock for a session; false while another holds it.</summary>
    internal bool TryLock(Session session, object row)
    {
        if (_locks.TryGetValue(row, out Session? holder) && holder != session)
        {
            return false;
        }
        _locks[row] = session;
        return true;
    }

    /// <summary>Ends a transaction and its session.</summary>
    internal void End(Session session, string why)
    {
        if (session.EndedBecause is not null)
        {
            return;
        }
        session.EndedBecause = why;
        _sessions.Remove(session);
        foreach (object row in _locks.Where(held => held.Value == session).Select(held => held.Key).ToArray())
        {
            _locks.Remove(row);
        }
        foreach (Operation waiting in _blocked.Where(blocked => blocked.Session == session).ToArray())
        {
            _blocked.Remove(waiting);
            waiting.Answer(new IOException(why));
        }
        foreach (Operation waiting in _blocked.ToArray())
        {
            if (_blocked.Contains(waiting) && waiting.Try())
            {
                _blocked.Remove(waiting);
            }
        }
    }

    private void OutOfPatience(Operation operation)
    {
        if (!_blocked.Contains(operation))
        {
            return;
        }
        if (operation.TerminatesHolder && operation.BlockedOn is { } row && _locks.TryGetValue(row, out Session? holder))
        {
            World.Trace.Say(null, $"a claim ends the session that holds {row}");
            End(holder, "terminating connection due to administrator command");
            return;
        }
        _blocked.Remove(operation);
        operation.Answer(new IOException("canceling statement due to lock timeout"));
        End(operation.Session, "canceling statement due to lock timeout");
    }
}
