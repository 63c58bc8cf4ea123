using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>
/// The tables of PostgreSQL's schema in SQLite's types: times are text that sorts, ranges are text, ids are text. The rows table
/// carries its identity in the text of its own CREATE statement.
/// </summary>
internal sealed class SqliteSchema(string sink, string table, SqliteMigration migration, IReadOnlyList<RowIndex> indexes)
{
    private const string IdentityPrefix = "/* logpipe rows ";

    private const string LedgerTables = """
        CREATE TABLE IF NOT EXISTS logpipe_ledger (id TEXT PRIMARY KEY, version INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS logpipe_logs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sink TEXT NOT NULL, cluster_id TEXT NOT NULL, topic_id TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
            next_offset INTEGER NOT NULL, leader_epoch INTEGER NOT NULL, owner TEXT NOT NULL,
            table_name TEXT NOT NULL, table_identity TEXT NOT NULL, config_hash TEXT NOT NULL,
            UNIQUE (sink, cluster_id, topic_id, topic, partition));
        CREATE TABLE IF NOT EXISTS logpipe_sources (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sink TEXT NOT NULL, agent_id TEXT NOT NULL, generation TEXT NOT NULL, topic TEXT NOT NULL,
            host TEXT NOT NULL, file TEXT NOT NULL, stored TEXT NOT NULL, version INTEGER NOT NULL,
            UNIQUE (sink, agent_id, generation, topic));
        CREATE TABLE IF NOT EXISTS logpipe_dead_letters (
            log INTEGER NOT NULL, log_offset INTEGER NOT NULL, time TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, value BLOB NOT NULL,
            source INTEGER, file_offset INTEGER, part INTEGER, flags INTEGER);
        CREATE TABLE IF NOT EXISTS logpipe_gaps (
            log INTEGER NOT NULL, from_offset INTEGER NOT NULL, to_offset INTEGER NOT NULL, found TEXT NOT NULL, reason TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS logpipe_repairs (log INTEGER NOT NULL, from_offset INTEGER NOT NULL, to_offset INTEGER NOT NULL);
        """;

    /// <summary>Gives the ledger's id and the table's identity. Runs in the caller's transaction.</summary>
    public (Guid Ledger, string Table) Ensure(SqliteDatabase database, Guid fresh)
    {
        if (!migration.MayMigrate && !HoldsLedger(database))
        {
            throw StoreRefusedException.LostLedger(sink, "the SQLite file");
        }
        database.Execute(LedgerTables);
        database.Run("INSERT INTO logpipe_ledger SELECT ?1, 1 WHERE NOT EXISTS (SELECT 1 FROM logpipe_ledger)", fresh.ToString());
        var ledger = Guid.Parse(database.Text("SELECT id FROM logpipe_ledger")!);
        string identity = EnsureRows(database, fresh, out bool isNew);
        CheckLedger(database, identity);
        migration.Run(database, identity, isNew);
        string? kind = database.Text("SELECT type FROM sqlite_master WHERE name = ?1", table);
        if (kind is null)
        {
            database.Execute($"CREATE VIEW {table} AS {RowColumns.ViewSelect(TableName.Parse(table), RowColumns.OfView(migration.Parsed(database)))}");
        }
        else if (kind != "view")
        {
            throw new StoreRefusedException($"{table} is there and is not a view. Give the sink another `table`.");
        }
        foreach (RowIndex index in indexes)
        {
            EnsureIndex(database, index, identity);
        }
        EnsureDeadLetters(database);
        return (ledger, identity);
    }

    private static bool HoldsLedger(SqliteDatabase database) =>
        database.Text("SELECT name FROM sqlite_master WHERE name = 'logpipe_ledger'") is not null && database.Text("SELECT id FROM logpipe_ledger") is not null;

    /// <summary>SQLite renames no index: in a table that was rebuilt it has the shadow's name, and the table before may have the name that it would get.</summary>
    private void EnsureIndex(SqliteDatabase database, RowIndex index, string identity)
    {
        if (database.Text($"SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}_rows' COLLATE NOCASE AND substr(name, -{index.Suffix.Length}) = '{index.Suffix}'") is not null)
        {
            return;
        }
        bool isTaken = database.Text($"SELECT name FROM sqlite_master WHERE name = '{table}{index.Suffix}' COLLATE NOCASE") is not null;
        database.Execute($"CREATE INDEX {table}{(isTaken ? $"_{identity[..8]}" : "")}{index.Suffix} ON {table}_rows ({index.Column})");
    }

    /// <summary>Adds what the table of an earlier version lacks, and makes the view.</summary>
    private void EnsureDeadLetters(SqliteDatabase database)
    {
        if (database.Text("SELECT name FROM pragma_table_info('logpipe_dead_letters') WHERE name = 'part'") is null)
        {
            foreach (string column in new[] { "source", "file_offset", "part", "flags" })
            {
                database.Execute($"ALTER TABLE logpipe_dead_letters ADD COLUMN {column} INTEGER");
            }
        }
        database.Execute($"CREATE VIEW IF NOT EXISTS {table}_dead_letters AS {RowColumns.DeadLettersSelect(TableName.Parse(table), "CAST(d.value AS TEXT)")}");
    }

    private string EnsureRows(SqliteDatabase database, Guid fresh, out bool isNew)
    {
        const string find = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
        isNew = database.Text(find, $"{table}_rows") is null;
        if (isNew)
        {
            string columns = string.Concat(migration.Definitions.Select(column => $", {column}"));
            database.Execute($"""
                CREATE TABLE {table}_rows ({IdentityPrefix}{fresh} */ log INTEGER NOT NULL, log_offset INTEGER NOT NULL, time TEXT NOT NULL, source INTEGER,
                    file_offset INTEGER, part INTEGER NOT NULL, line TEXT NOT NULL, raw BLOB, parsed INTEGER NOT NULL, flags INTEGER NOT NULL{columns});
                CREATE INDEX {table}_rows_time ON {table}_rows (time);
                """);
        }
        string sql = database.Text(find, $"{table}_rows")!;
        int at = sql.IndexOf(IdentityPrefix, StringComparison.Ordinal);
        if (at < 0)
        {
            throw new StoreRefusedException($"table {table}_rows is not this program's. Give the sink another `table`.");
        }
        return sql.Substring(at + IdentityPrefix.Length, 36);
    }

    private void CheckLedger(SqliteDatabase database, string identity)
    {
        const string others = "SELECT sink FROM logpipe_logs WHERE sink <> ?1 AND table_identity = ?2 AND leader_epoch >= 0 LIMIT 1";
        if (database.Text(others, sink, identity) is { } other)
        {
            throw StoreRefusedException.HoldsRowsOf(other, sink, $"table {table}_rows", "table");
        }
        if (database.Text("SELECT table_name FROM logpipe_logs WHERE sink = ?1 AND (table_name <> ?2 OR table_identity <> ?3) LIMIT 1", sink, table, identity) is not { } name)
        {
            return;
        }
        string reason = name != table ? $"its rows went to table {name}; set that table, or give the sink a new name"
            : $"table {table}_rows is not the one that holds its rows (dropped and made again?); restore it, or give the sink a new name";
        throw new StoreRefusedException($"sink {sink}: the ledger expects something else: {reason}.");
    }
}
