using System.Globalization;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>
/// Takes a table over to a changed parser, in the transaction that opens the store, as in PostgreSQL: the sink's ledger rows get the new
/// configuration and lose their owners, missing columns are added, the view shows them behind its others, and the version is noted in
/// <c>logpipe_table_versions</c>.
/// </summary>
internal sealed class SqliteMigration(string sink, string table, ILineParser parser, bool mayMigrate)
{
    private const string Versions = """
        CREATE TABLE IF NOT EXISTS logpipe_table_versions (
            table_identity TEXT NOT NULL, version INTEGER NOT NULL, parser TEXT NOT NULL, settings TEXT NOT NULL, columns TEXT NOT NULL, config_hash TEXT NOT NULL,
            since TEXT, row_filter TEXT, starts TEXT, PRIMARY KEY (table_identity, version))
        """;

    private readonly string _mine = RowColumns.ConfigHash(parser);

    /// <summary>The parser's columns as CREATE TABLE has them.</summary>
    public IReadOnlyList<string> Definitions { get; } = [.. parser.Columns.Select(column => $"{column.Name} {TypeOf(column.Kind)}")];

    /// <summary>Whether tables may be made and taken over, see <see cref="MigrationRight"/>.</summary>
    public bool MayMigrate => mayMigrate;

    /// <summary>What became of the table, for people; null when nothing did.</summary>
    public string? Change { get; private set; }

    /// <param name="identity">The table's.</param>
    /// <param name="isNew">Whether the table was made in this transaction.</param>
    /// <exception cref="StoreRefusedException">The table cannot be taken over: says why and what to do.</exception>
    /// <exception cref="TableReplacedException">A rebuild has given the table the other parser since the configuration was asked for.</exception>
    public void Run(SqliteDatabase database, string identity, bool isNew)
    {
        IReadOnlyList<string> configurations = database.Texts("SELECT DISTINCT config_hash FROM logpipe_logs WHERE sink = ?1 ORDER BY 1", sink);
        string? other = configurations.FirstOrDefault(configuration => configuration != _mine);
        if (other is not null && !mayMigrate)
        {
            throw StoreRefusedException.WrittenOtherwise(sink, $"table {table}_rows", other, _mine);
        }
        if (other is not null && IsRebuilt(database))
        {
            throw RebuiltParser.SwappedMeanwhile(table);
        }
        IReadOnlyList<string> added = isNew || (other is null && configurations.Count > 0) ? [] : AddColumns(database);
        EnsureVersions(database);
        int version = int.Parse(database.Text("SELECT coalesce(max(version), 0) FROM logpipe_table_versions WHERE table_identity = ?1", identity)!, CultureInfo.InvariantCulture);
        if (other is null)
        {
            if (database.Text("SELECT config_hash FROM logpipe_table_versions WHERE table_identity = ?1 ORDER BY version DESC LIMIT 1", identity) != _mine)
            {
                // Another one that is noted made no rows: the sink had no logs yet.
                Note(database, identity, version + 1, Mine, isNow: isNew || version > 0, starts: "");
            }
            return;
        }
        database.Run("UPDATE logpipe_logs SET config_hash = ?1, owner = ?2 WHERE sink = ?3", _mine, OwnerToken.Nobody.Value.ToString(), sink);
        ExtendView(database);
        if (version == 0)
        {
            Note(database, identity, ++version, RowsVersion.Of(other), isNow: false, starts: "");
        }
        string starts = database.Text("SELECT json_group_object(CAST(id AS TEXT), next_offset) FROM logpipe_logs WHERE sink = ?1", sink)!;
        Note(database, identity, ++version, Mine, isNow: true, starts);
        Change = TableChange.Of($"table {table}_rows", parser, version, added);
    }

    /// <summary>The columns of the table beside the fixed ones, in its order.</summary>
    public IReadOnlyList<string> Parsed(SqliteDatabase database) => [.. Columns(database, $"{table}_rows").Except(RowColumns.Fixed)];

    private bool IsRebuilt(SqliteDatabase database) =>
        database.Text("SELECT 1 FROM sqlite_master WHERE name = 'logpipe_rebuilds'") is not null
        && database.Text(RebuiltParser.Select("1", "?1", "?2"), sink, _mine) is not null;

    private static IReadOnlyList<string> Columns(SqliteDatabase database, string relation) => database.Texts($"SELECT name FROM pragma_table_info('{relation}') ORDER BY cid");

    private static string TypeOf(ColumnKind kind) => kind switch
    {
        ColumnKind.Integer or ColumnKind.BigInteger or ColumnKind.Boolean => "INTEGER",
        ColumnKind.Double => "REAL",
        _ => "TEXT",
    };

    private List<string> AddColumns(SqliteDatabase database)
    {
        var added = new List<string>();
        foreach ((Column column, string definition) in parser.Columns.Zip(Definitions))
        {
            if (database.Text($"SELECT type FROM pragma_table_info('{table}_rows') WHERE name = ?1", column.Name) is not { } actual)
            {
                database.Execute($"ALTER TABLE {table}_rows ADD COLUMN {definition}");
                added.Add(definition);
            }
            else if (actual != TypeOf(column.Kind))
            {
                throw new StoreRefusedException($"table {table}_rows has column {column.Name} as {actual}, and it must be {TypeOf(column.Kind)}: {TableChange.TypeRemedy}.");
            }
        }
        return added;
    }

    private void ExtendView(SqliteDatabase database)
    {
        IReadOnlyList<string> view = Columns(database, table);
        if (view.Count > 0 && parser.Columns.Any(column => !view.Contains(column.Name)))
        {
            IReadOnlyList<string> columns = RowColumns.OfView(TableName.Parse(table), view, Parsed(database));
            database.Execute($"DROP VIEW {table}");
            database.Execute($"CREATE VIEW {table} AS {RowColumns.ViewSelect(TableName.Parse(table), columns)}");
        }
    }

    private RowsVersion Mine => RowsVersion.Of(parser, string.Join(", ", Definitions));

    /// <summary>Makes the table, or adds what an earlier program's lacks.</summary>
    private static void EnsureVersions(SqliteDatabase database)
    {
        database.Execute(Versions);
        if (!Columns(database, "logpipe_table_versions").Contains("starts"))
        {
            database.Execute("ALTER TABLE logpipe_table_versions ADD COLUMN row_filter TEXT");
            database.Execute("ALTER TABLE logpipe_table_versions ADD COLUMN starts TEXT");
        }
    }

    private static void Note(SqliteDatabase database, string identity, int version, RowsVersion made, bool isNow, string starts) =>
        database.Run(
            "INSERT INTO logpipe_table_versions (table_identity, version, parser, settings, columns, config_hash, row_filter, starts, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
            + (isNow ? "strftime('%Y-%m-%d %H:%M:%fZ', 'now'))" : "NULL)"), identity, version, made.Parser, made.Settings, made.Columns, made.ConfigHash, made.Where, starts);
}
