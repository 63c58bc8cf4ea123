using LogPipeline.Simulation.Kernel;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Simulation.Database;

/// <summary>A sink process's way to the database. Each call is a seam call, travels, and may be lost on either way.</summary>
public sealed class SimStore : ISinkStore
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(5);

    private readonly SimDatabase _database;
    private readonly Life _life;
    private readonly List<Session> _mine = [];

    public SimStore(SimDatabase database, Life life)
    {
        _database = database;
        _life = life;
        // The server learns of a dead client late; what it was sent before may still run.
        life.AtDeath(() => World.After(World.Between(TimeSpan.Zero, _database.Faults.NoticeMax), () =>
        {
            foreach (Session session in _mine)
            {
                _database.End(session, "could not receive data from client");
            }
        }));
    }

    /// <summary>Whether its process knows that a person paused the sink.</summary>
    public Func<bool> IsPaused { get; init; } = static () => false;

    public string Kind => "simulated";

    public ILineParser Parser { get; init; } = new NoParser();

    private World World => _database.World;

    public ValueTask<Guid> OpenAsync(CancellationToken cancellation) => AloneAsync("db.open", _ => _database.Tables.LedgerId);

    public ValueTask<IReadOnlyList<LedgerEntry>> ReadLedgerAsync(CancellationToken cancellation) =>
        AloneAsync<IReadOnlyList<LedgerEntry>>("db.read ledger", _ => [.. _database.Tables.Logs]);

    public ValueTask CreateAsync(IReadOnlyList<LedgerStart> starts, CancellationToken cancellation) =>
        Discard(AloneAsync("db.create", _ =>
        {
            foreach (LedgerStart start in starts)
            {
                if (!_database.Tables.Logs.Exists(entry => entry.Log == start.Log))
                {
                    _database.Tables.Logs.Add(new LedgerEntry(_database.Tables.Logs.Count + 1, start.Log, start.Offset, -1, default));
                }
            }
            return true;
        }));

    public ValueTask<LedgerEntry?> ClaimAsync(LogIdentity log, OwnerToken owner, CancellationToken cancellation)
    {
        LedgerEntry? claimed = null;
        return AloneAsync("db.claim", operation =>
        {
            int at = _database.Tables.Logs.FindIndex(entry => entry.Log == log);
            if (at < 0)
            {
                return null;
            }
            LedgerEntry entry = _database.Tables.Logs[at];
            object row = ("log", entry.Id);
            if (!_database.TryLock(operation.Session, row))
            {
                operation.BlockedOn = row;
                return null;
            }
            LedgerEntry before = entry;
            claimed = _database.Plants.ClaimsWithoutOwner && entry.Owner != default ? entry : entry with { Owner = owner };
            _database.Tables.Logs[at] = claimed;
            World.Trace.Say(_life.Part, $"claims {log} at {claimed.NextOffset}");
            return _database.Plants.StaleClaims ? claimed with { NextOffset = StaleOffset(before) } : claimed;
        }, ClaimPatience, terminatesHolder: true);
    }

    public async ValueTask<ISinkFlush> BeginAsync(CancellationToken cancellation)
    {
        bool isPaused = IsPaused();
        Session session = await AloneAsync("db.begin", _ =>
        {
            Session opened = _database.Open(isPaused);
            _mine.Add(opened);
            return opened;
        });
        return new SimFlush(this, _database, session);
    }

    public ValueTask DisposeAsync()
    {
        foreach (Session session in _mine)
        {
            _database.End(session, "closed by the client");
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>One statement in a transaction. <paramref name="run"/> sets the operation's BlockedOn when a lock is missing.</summary>
    internal async ValueTask<T> CallAsync<T>(
        string name, Session session, Func<Operation, T> run, TimeSpan? patience = null, bool terminatesHolder = false)
    {
        bool cutAfter = _life.Enter(name);
        bool lost = World.Chance(_database.Faults.LostCall);
        bool answerLost = !lost && World.Chance(_database.Faults.LostAnswer);
        var done = new TaskCompletionSource<T>();
        T result = default!;
        Operation operation = null!;
        operation = new Operation(session, patience ?? LockPatience, terminatesHolder)
        {
            Try = () =>
            {
                operation.BlockedOn = null;
                result = run(operation);
                if (operation.BlockedOn is not null)
                {
                    return false;
                }
                operation.Answer(null);
                return true;
            },
            Answer = error => World.After(Travel(), _life, () => Receive(error)),
        };
        World.After(Travel(), () =>
        {
            if (lost)
            {
                _database.End(session, "connection lost");
                operation.Answer(new IOException("connection lost"));
                return;
            }
            _database.Run(operation);
        });
        if (cutAfter)
        {
            _life.CutAfter(name);
        }
        return await done.Task;

        void Receive(Exception? error)
        {
            if (answerLost)
            {
                _database.End(session, "connection lost");
                error = new IOException("connection lost while waiting for the answer");
            }
            if (error is null)
            {
                done.TrySetResult(result);
            }
            else
            {
                World.Trace.Say(_life.Part, $"{name}: {error.Message}");
                done.TrySetException(new StoreUnavailableException(error.Message, error));
            }
        }
    }

    private async ValueTask<T> AloneAsync<T>(string name, Func<Operation, T> run, TimeSpan? patience = null, bool terminatesHolder = false)
    {
        Session session = _database.Open();
        _mine.Add(session);
        T result = await CallAsync(name, session, operation =>
        {
            T value = run(operation);
            if (operation.BlockedOn is null)
            {
                _database.End(session, "done");
            }
            return value;
        }, patience, terminatesHolder);
        return result;
    }

    private long StaleOffset(LedgerEntry entry) =>
        _database.Tables.Rows.Where(row => row.LogId == entry.Id && row.Offset < entry.NextOffset).Select(row => row.Offset)
            .DefaultIfEmpty(entry.NextOffset).Max();

    private TimeSpan Travel() => World.Between(TimeSpan.FromMicroseconds(20), _database.Faults.LatencyMax);

    private static async ValueTask Discard<T>(ValueTask<T> task) => await task;
}
