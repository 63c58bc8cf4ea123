using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using SQLitePCL;

using static SQLitePCL.raw;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>
/// Ledger and rows in one SQLite file, in WAL mode, every commit synced. One connection on one thread; transactions take turns. Each begins and
/// commits only while the configured name leads to the file that is open: SQLite would go on in one that nobody finds.
/// </summary>
/// <param name="sink">The sink's name.</param>
/// <param name="options">Where the rows go.</param>
/// <param name="parser">Finds the rows' columns.</param>
/// <param name="files">For the file's place.</param>
/// <param name="random">For the ledger's and the table's identity.</param>
/// <param name="migration">Whether the table may be taken over to the parser; null = a process's first store.</param>
/// <param name="events">Takes what becomes of the table; null = nobody listens.</param>
/// <param name="time">Of the events, and for the age of rows; null = the system's.</param>
public sealed class SqliteStore(
    string sink, SqliteOptions options, ILineParser parser, IFileSystem files, Random random, MigrationRight? migration = null, ISinkEvents? events = null, TimeProvider? time = null) : ISinkStore
{
    private readonly MigrationRight _migration = migration ?? new MigrationRight();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly SqliteThread _thread = new($"sqlite {sink}");
    private SqliteDatabase? _database;
    private SqliteRows? _rows;
    private (string FileSystem, ulong Inode)? _opened;
    private (string FileSystem, ulong Inode)? _log; // the write-ahead log's, once there is one
    private string _identity = "";

    public string Kind => "sqlite";

    public ILineParser Parser => parser;

    public IReadOnlyList<Chore> Chores => options.Retention is not { } age ? [] : [new Chore("old rows", TimeSpan.FromHours(1), cancellation => RemoveOldAsync(age, cancellation))];

    internal string Sink => sink;

    internal SqliteDatabase Database => _database ?? throw new InvalidOperationException("the store is not open");

    internal SqliteRows Rows => _rows!;

    internal SqliteThread Thread => _thread;

    internal AsyncLock Turn { get; } = new();

    public async ValueTask<Guid> OpenAsync(CancellationToken cancellation)
    {
        var change = new SqliteMigration(sink, options.Table, parser, _migration.MayMigrate);
        Guid id = await InTransactionAsync(() =>
        {
            (Guid ledger, string? identity) = new SqliteSchema(sink, options.Table, change, RowIndex.Read(options.Indexes, parser, isSqlite: true)).Ensure(Database, OwnerToken.New(random).Value);
            _identity = identity;
            if (options.Retention is not null)
            {
                Database.Execute(SqliteRetention.Table);
            }
            _rows ??= new SqliteRows(Database, options.Table, parser);
            return ledger;
        });
        _migration.Spend();
        if (change.Change is { } text)
        {
            events?.Publish(new TableChanged(sink, _time.GetUtcNow(), text));
        }
        return id;
    }

    public ValueTask<IReadOnlyList<LedgerEntry>> ReadLedgerAsync(CancellationToken cancellation) => InTransactionAsync(() =>
    {
        sqlite3_stmt statement = Database.Bind($"SELECT {EntryColumns} FROM logpipe_logs WHERE sink = ?1 ORDER BY id", sink);
        var entries = new List<LedgerEntry>();
        while (Database.Step(statement))
        {
            entries.Add(ReadEntry(statement));
        }
        return (IReadOnlyList<LedgerEntry>)entries;
    });

    public async ValueTask CreateAsync(IReadOnlyList<LedgerStart> starts, CancellationToken cancellation) => await InTransactionAsync(() =>
    {
        RequireConfiguration("sink = ?1", sink);
        foreach (string topic in starts.Select(start => start.Log.Topic).Distinct())
        {
            RequireLedgerRows(topic);
        }
        foreach (LedgerStart start in starts)
        {
            LogIdentity log = start.Log;
            Database.Run("""
                INSERT INTO logpipe_logs (sink, cluster_id, topic_id, topic, partition, next_offset, leader_epoch, owner, table_name, table_identity, config_hash)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, -1, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING
                """, log.Sink, log.ClusterId, log.TopicId.ToString(), log.Topic, log.Partition, start.Offset, OwnerToken.Nobody.Value.ToString(), options.Table, _identity,
                RowColumns.ConfigHash(parser));
            if (start.LeftOut is var (from, reason))
            {
                Database.Run("""
                    INSERT INTO logpipe_gaps (log, from_offset, to_offset, found, reason)
                    SELECT last_insert_rowid(), ?1, ?2, strftime('%Y-%m-%d %H:%M:%fZ', 'now'), ?3 WHERE changes() > 0 AND ?1 < ?2
                    """, from, start.Offset, reason);
            }
        }
        return true;
    });

    public ValueTask<LedgerEntry?> ClaimAsync(LogIdentity log, OwnerToken owner, CancellationToken cancellation) => InTransactionAsync(() =>
    {
        const string key = "sink = ?1 AND cluster_id = ?2 AND topic_id = ?3 AND topic = ?4 AND partition = ?5";
        object?[] parameters = [log.Sink, log.ClusterId, log.TopicId.ToString(), log.Topic, log.Partition];
        RequireConfiguration(key, parameters);
        Database.Run($"UPDATE logpipe_logs SET owner = ?6 WHERE {key}", [.. parameters, owner.Value.ToString()]);
        sqlite3_stmt statement = Database.Bind($"SELECT {EntryColumns} FROM logpipe_logs WHERE {key}", parameters);
        return Database.Step(statement) ? ReadEntry(statement) : null;
    });

    public async ValueTask<ISinkFlush> BeginAsync(CancellationToken cancellation)
    {
        await Turn.TakeAsync();
        try
        {
            await _thread.RunAsync(() =>
            {
                Open().Execute("BEGIN IMMEDIATE");
                return true;
            });
            return new SqliteFlush(this);
        }
        catch
        {
            Turn.Release();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _thread.RunAsync(() =>
        {
            _database?.Dispose();
            return true;
        });
        _thread.Dispose();
    }

    private SqliteDatabase Open()
    {
        if (_database is null)
        {
            _database = new SqliteDatabase(options.File);
            _opened = Place(options.File);
        }
        RequireInPlace();
        return _database;
    }

    /// <exception cref="StoreUnavailableException">The file was moved or removed: putting it back helps.</exception>
    /// <exception cref="StoreRefusedException">Another file is in its place, or its write-ahead log is gone: the sink is to open it anew.</exception>
    internal void RequireInPlace()
    {
        (string FileSystem, ulong Inode)? place = Place(options.File);
        if (place == _opened)
        {
            RequireLogInPlace();
            return;
        }
        if (place is null)
        {
            throw new StoreUnavailableException(
                $"SQLite file {options.File} was moved or removed, and nothing more is written to it. Put it back, with its -wal file if there is one; or restart the sink under a new name to store all anew.");
        }
        throw new StoreRefusedException($"SQLite file {options.File} was replaced by another one, which is opened now.");
    }

    /// <summary>What is committed into a write-ahead log that has no name is lost to readers at once, and to all by a crash. Closing the database moves it into the file.</summary>
    private void RequireLogInPlace()
    {
        (string FileSystem, ulong Inode)? place = Place($"{options.File}-wal");
        _log ??= place;
        if (place != _log)
        {
            throw new StoreRefusedException($"SQLite file {options.File}: its write-ahead log {options.File}-wal was moved or removed; the file is opened anew, with what was in the log. Leave both alone while the sink runs.");
        }
    }

    private async ValueTask<IReadOnlyList<ExpiredPart>> RemoveOldAsync(TimeSpan age, CancellationToken cancellation)
    {
        var retention = new SqliteRetention(options.Table, age);
        ExpiredPart? total = null;
        while (await InTransactionAsync(() => retention.RemoveSome(Database, _time.GetUtcNow())) is { } part)
        {
            total = part with { Rows = part.Rows + (total?.Rows ?? 0) };
            cancellation.ThrowIfCancellationRequested(); // the next start goes on
        }
        return total is null ? [] : [total];
    }

    /// <exception cref="TableReplacedException">There are ledger rows of another table: a rebuild has put it in the place of the one that is open here.</exception>
    /// <exception cref="StoreRefusedException">There are ledger rows of another configuration: a newer process has taken the table over.</exception>
    private void RequireConfiguration(string where, params object?[] parameters)
    {
        if (Database.Text($"SELECT 1 FROM logpipe_logs WHERE {where} AND table_identity <> '{_identity}' LIMIT 1", parameters) is not null)
        {
            throw new TableReplacedException($"another table is {options.Table} now");
        }
        string mine = RowColumns.ConfigHash(parser);
        if (Database.Text($"SELECT config_hash FROM logpipe_logs WHERE {where} AND config_hash <> '{mine}' LIMIT 1", parameters) is { } theirs)
        {
            throw StoreRefusedException.WrittenOtherwise(sink, $"table {options.Table}_rows", theirs, mine);
        }
    }

    /// <exception cref="StoreRefusedException">Lines of the topic are stored, and the ledger has no row of it.</exception>
    private void RequireLedgerRows(string topic)
    {
        if (Database.Text("""
            SELECT 1 FROM logpipe_sources WHERE sink = ?1 AND topic = ?2 AND stored <> '{}' AND NOT EXISTS (SELECT 1 FROM logpipe_logs WHERE sink = ?1 AND topic = ?2) LIMIT 1
            """, sink, topic) is not null)
        {
            throw StoreRefusedException.LostLedgerRows(sink, topic);
        }
    }

    private (string FileSystem, ulong Inode)? Place(string path) => files.Stat(path) is { } status ? (status.FileSystem, status.Inode) : null;

    private async ValueTask<T> InTransactionAsync<T>(Func<T> work)
    {
        await Turn.TakeAsync();
        try
        {
            return await _thread.RunAsync(() =>
            {
                Open().Execute("BEGIN IMMEDIATE");
                try
                {
                    T? result = work();
                    Database.Commit();
                    return result;
                }
                catch
                {
                    Database.RollBack();
                    throw;
                }
            });
        }
        finally
        {
            Turn.Release();
        }
    }

    private const string EntryColumns = "id, sink, cluster_id, topic_id, topic, partition, next_offset, leader_epoch, owner";

    private static LedgerEntry ReadEntry(sqlite3_stmt statement)
    {
        string Text(int column) => sqlite3_column_text(statement, column).utf8_to_string();
        var log = new LogIdentity(Text(1), Text(2), Guid.Parse(Text(3)), Text(4), sqlite3_column_int(statement, 5));
        return new LedgerEntry(
            sqlite3_column_int(statement, 0), log, sqlite3_column_int64(statement, 6), sqlite3_column_int(statement, 7), new OwnerToken(Guid.Parse(Text(8))));
    }
}
