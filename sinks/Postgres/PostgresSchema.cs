using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// Creates the ledger, the rows table and the view where they are missing, has the table taken over to a changed parser, and refuses tables
/// that are not the ones the ledger speaks of.
/// </summary>
internal sealed class PostgresSchema(string sink, TableName table, ILineParser parser, TableMigration migration)
{
    private static readonly IReadOnlyList<string> Tables =
        ["logpipe_ledger", "logpipe_logs", "logpipe_sources", "logpipe_dead_letters", "logpipe_gaps", "logpipe_repairs"];

    /// <summary>The advisory lock of those that make tables of the ledger.</summary>
    public const long CreationLock = 7237954630925549673;

    private readonly RowsTable _rows = new(table, parser);

    private string SinkLiteral => SqlLiteral.Of(sink);

    private const string LedgerTables = """
        CREATE TABLE IF NOT EXISTS logpipe_ledger (id uuid PRIMARY KEY, version int NOT NULL);
        CREATE TABLE IF NOT EXISTS logpipe_logs (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            sink text NOT NULL, cluster_id text NOT NULL, topic_id uuid NOT NULL, topic text NOT NULL, partition int NOT NULL,
            next_offset bigint NOT NULL, leader_epoch int NOT NULL, owner uuid NOT NULL,
            table_name text NOT NULL, table_identity text NOT NULL, config_hash text NOT NULL,
            UNIQUE (sink, cluster_id, topic_id, topic, partition));
        CREATE TABLE IF NOT EXISTS logpipe_sources (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            sink text NOT NULL, agent_id uuid NOT NULL, generation text NOT NULL, topic text NOT NULL,
            host text NOT NULL, file text NOT NULL, stored int8multirange NOT NULL, version bigint NOT NULL,
            UNIQUE (sink, agent_id, generation, topic));
        CREATE TABLE IF NOT EXISTS logpipe_dead_letters (
            log int NOT NULL, log_offset bigint NOT NULL, time timestamptz NOT NULL, state text NOT NULL, reason text NOT NULL, value bytea NOT NULL,
            source int, file_offset bigint, part int, flags smallint);
        CREATE TABLE IF NOT EXISTS logpipe_gaps (
            log int NOT NULL, from_offset bigint NOT NULL, to_offset bigint NOT NULL, found timestamptz NOT NULL, reason text NOT NULL);
        CREATE TABLE IF NOT EXISTS logpipe_repairs (log int NOT NULL, from_offset bigint NOT NULL, to_offset bigint NOT NULL);
        """;

    /// <summary>Gives the ledger's id and the table's identity. Runs in the caller's transaction.</summary>
    public async Task<(Guid Ledger, string Table)> EnsureAsync(NpgsqlConnection connection, Guid fresh, CancellationToken cancellation)
    {
        if (connection.PostgreSqlVersion.Major < 14)
        {
            throw new StoreRefusedException($"PostgreSQL {connection.PostgreSqlVersion} is too old: 14 or newer is needed (multiranges).");
        }
        if (await connection.ScalarAsync("SELECT getdatabaseencoding()", cancellation) is string encoding && encoding != "UTF8")
        {
            throw new StoreRefusedException($"database {connection.Database} has the encoding {encoding}, which cannot hold every line: make one with "
                + $"`createdb -E UTF8 -T template0 {connection.Database}` (under another name, if this one is in use).");
        }
        // Two sinks that start together would both create: one at a time.
        await connection.ExecuteAsync($"SELECT pg_advisory_xact_lock({CreationLock})", cancellation);
        if (!migration.MayMigrate && !await HoldsLedgerAsync(connection, cancellation))
        {
            throw StoreRefusedException.LostLedger(sink, $"database {connection.Database}");
        }
        bool isNew = await EnsureTablesAsync(connection, fresh, cancellation);
        await EnsureDeadLettersAsync(connection, cancellation);
        await CheckRightsAsync(connection, cancellation);
        await PublishedTables.IdentifyAsync(connection, cancellation);
        const string id = "SELECT id FROM logpipe_ledger";
        if (await connection.ScalarAsync(id, cancellation) is null)
        {
            await connection.ExecuteAsync($"INSERT INTO logpipe_ledger VALUES ('{fresh}', 1)", cancellation);
        }
        var ledger = (Guid)(await connection.ScalarAsync(id, cancellation))!;
        string identity = await _rows.IdentityAsync(connection, cancellation);
        await CheckLedgerAsync(connection, identity, cancellation);
        await migration.RunAsync(connection, identity, isNew, cancellation);
        await new TableShape(table, parser).CheckAsync(connection, cancellation);
        await _rows.EnsureViewAsync(connection, cancellation);
        return (ledger, identity);
    }

    private static async Task<bool> HoldsLedgerAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.ScalarAsync("SELECT to_regclass('logpipe_ledger') IS NOT NULL", cancellation) is true
        && await connection.ScalarAsync("SELECT EXISTS (SELECT FROM logpipe_ledger)", cancellation) is true;

    /// <summary>Makes what is missing, but the view; where all is there it takes no right to make anything. Returns whether the rows table is new.</summary>
    private async Task<bool> EnsureTablesAsync(NpgsqlConnection connection, Guid fresh, CancellationToken cancellation)
    {
        string names = string.Join(", ", Tables.Append(table.Rows).Append(table.ToString()).Select(SqlLiteral.Of));
        string? missing = await connection.ScalarAsync($"""
            SELECT string_agg(name, ', ') FROM unnest(ARRAY[{names}]) AS name WHERE to_regclass(name) IS NULL
            """, cancellation) as string;
        if (missing is null)
        {
            return false;
        }
        await CheckSchemasAsync(connection, missing, cancellation);
        await connection.ExecuteAsync(LedgerTables, cancellation);
        string isGone = $"SELECT to_regclass({table.RowsLiteral}) IS NULL AND EXISTS (SELECT FROM logpipe_logs WHERE sink = {SinkLiteral} AND table_name = {table.Literal})";
        if (await connection.ScalarAsync(isGone, cancellation) is true)
        {
            throw new StoreRefusedException(
                $"sink {sink}: table {table.Rows}, which holds its rows, is gone (dropped, renamed or in another schema?): restore it under that name, or give the sink a new name.");
        }
        return await _rows.EnsureAsync(connection, fresh, cancellation);
    }

    /// <summary>What is missing is made in the schema that the search path begins with, rows and view in the one that their name may say.</summary>
    private async Task CheckSchemasAsync(NpgsqlConnection connection, string missing, CancellationToken cancellation)
    {
        string schema = table.Schema is null ? "current_schema()" : $"(parse_ident({table.Literal}))[1]";
        string? lacking = await connection.ScalarAsync($"""
            SELECT CASE
                WHEN name IS NULL THEN 'the search path names no schema that is there: set `Search Path` in `connection`'
                WHEN to_regnamespace(quote_ident(name)) IS NULL THEN format('schema %I is not there: CREATE SCHEMA %1$I AUTHORIZATION %I', name, current_user)
                ELSE format('user %I may not create %s in schema %I: GRANT CREATE ON SCHEMA %3$I TO %1$I, or let the schema''s owner run this sink once',
                    current_user, {SqlLiteral.Of(missing)}, name)
                END
            FROM (VALUES (current_schema()), ({schema})) AS schemas(name)
            WHERE CASE WHEN to_regnamespace(quote_ident(name)) IS NULL THEN true ELSE NOT has_schema_privilege(name, 'CREATE') END LIMIT 1
            """, cancellation) as string;
        if (lacking is not null)
        {
            throw new StoreRefusedException(lacking);
        }
    }

    /// <summary>Adds what the table of an earlier version lacks, and makes the view where the sink's user may.</summary>
    private async Task EnsureDeadLettersAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        const string added = "ADD source int, ADD file_offset bigint, ADD part int, ADD flags smallint";
        const string isOld = """
            SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('logpipe_dead_letters') AND attname = 'part' AND NOT attisdropped)
            """;
        if (await connection.ScalarAsync(isOld, cancellation) is true)
        {
            if (await connection.ScalarAsync("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('logpipe_dead_letters')", cancellation) is not true)
            {
                throw new StoreRefusedException($"table logpipe_dead_letters is of an earlier version and not the sink's user's: its owner must run ALTER TABLE logpipe_dead_letters {added}.");
            }
            await connection.ExecuteAsync($"ALTER TABLE logpipe_dead_letters {added}", cancellation);
        }
        string make = $"""
            SELECT to_regclass({SqlLiteral.Of(table.DeadLetters)}) IS NULL AND has_schema_privilege((SELECT relnamespace FROM pg_class WHERE oid = to_regclass({table.RowsLiteral})), 'CREATE')
            """;
        if (await connection.ScalarAsync(make, cancellation) is true)
        {
            await connection.ExecuteAsync($"CREATE VIEW {table.DeadLetters} AS {RowColumns.DeadLettersSelect(table, "encode(d.value, 'escape')")}", cancellation);
        }
    }

    private async Task CheckRightsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        string? missing = await connection.ScalarAsync($"""
            SELECT string_agg(format('GRANT %s ON %s TO %I', needed, name, current_user), '; ') FROM (VALUES
                ('logpipe_ledger', 'SELECT'), ('logpipe_logs', 'SELECT'), ('logpipe_logs', 'INSERT'), ('logpipe_logs', 'UPDATE'),
                ('logpipe_sources', 'SELECT'), ('logpipe_sources', 'INSERT'), ('logpipe_sources', 'UPDATE'),
                ('logpipe_dead_letters', 'INSERT'), ('logpipe_gaps', 'INSERT'), ({table.RowsLiteral}, 'INSERT')) AS rights(name, needed)
            WHERE NOT has_any_column_privilege(name, needed)
            """, cancellation) as string;
        if (missing is not null)
        {
            throw new StoreRefusedException($"the sink's user lacks rights: {missing}.");
        }
    }

    private async Task CheckLedgerAsync(NpgsqlConnection connection, string identity, CancellationToken cancellation)
    {
        object? other = await connection.ScalarAsync($"""
            SELECT sink FROM logpipe_logs WHERE sink <> {SinkLiteral} AND table_identity = '{identity}' AND leader_epoch >= 0 LIMIT 1
            """, cancellation);
        if (other is string name)
        {
            throw StoreRefusedException.HoldsRowsOf(name, sink, $"table {table.Rows}", "table");
        }
        object? problem = await connection.ScalarAsync($"""
            SELECT CASE WHEN table_name <> {table.Literal} THEN 'its rows went to table ' || table_name || '; set that table, or give the sink a new name'
                        ELSE {SqlLiteral.Of($"table {table.Rows} is not the one that holds its rows (dropped and made again?); restore it, or give the sink a new name")} END
            FROM logpipe_logs WHERE sink = {SinkLiteral}
              AND (table_name <> {table.Literal} OR table_identity <> '{identity}') LIMIT 1
            """, cancellation);
        if (problem is string reason)
        {
            throw new StoreRefusedException($"sink {sink}: the ledger expects something else: {reason}.");
        }
    }
}
