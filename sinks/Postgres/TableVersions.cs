using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using Npgsql;
using NpgsqlTypes;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// <c>logpipe_table_versions</c>: with which parser, columns and filter a table's rows were made, and from when on. For people, and for a verification,
/// which asks what a filter left out; what keeps processes with different configurations apart is in the ledger's rows.
/// </summary>
internal sealed class TableVersions(string sink, string identity, ILineParser parser, string columns)
{
    private const string Table = """
        CREATE TABLE IF NOT EXISTS logpipe_table_versions (
            table_identity text NOT NULL, version int NOT NULL, parser text NOT NULL, settings text NOT NULL, columns text NOT NULL, config_hash text NOT NULL,
            since timestamptz, row_filter text, starts text, PRIMARY KEY (table_identity, version));
        COMMENT ON COLUMN logpipe_table_versions.since IS 'From when on rows are made so; NULL: longer than versions are noted';
        COMMENT ON COLUMN logpipe_table_versions.row_filter IS 'Which rows are stored (the sink''s where); NULL: all';
        COMMENT ON COLUMN logpipe_table_versions.starts IS 'The first offset of each log, by its id in logpipe_logs, that is stored so; 0 where there is none';
        """;

    /// <summary>Whether the table is an earlier program's.</summary>
    private const string IsOld = "SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('logpipe_table_versions') AND attname = 'starts' AND NOT attisdropped)";

    private const string Added = "ADD row_filter text, ADD starts text";

    /// <summary>Whether the sink's user may alter it.</summary>
    private const string IsMine = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('logpipe_table_versions')";

    /// <summary>Whether it is there as this program makes it, and the sink's user may read it.</summary>
    private const string IsReadable = $"SELECT to_regclass('logpipe_table_versions') IS NOT NULL AND has_table_privilege('logpipe_table_versions', 'SELECT') AND NOT ({IsOld})";

    private readonly RowsVersion _mine = RowsVersion.Of(parser, columns);

    /// <summary>Notes the present configuration, with which all rows of the sink's logs are made, where it is not noted and the sink's user may.</summary>
    /// <param name="isFirst">Whether no rows are older.</param>
    public async Task TryNoteAsync(NpgsqlConnection connection, bool isFirst, CancellationToken cancellation)
    {
        const string may = $"""
            SELECT CASE WHEN to_regclass('logpipe_table_versions') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
                ELSE has_table_privilege('logpipe_table_versions', 'SELECT') AND has_table_privilege('logpipe_table_versions', 'INSERT')
                    AND (({IsMine}) OR NOT ({IsOld})) END
            """;
        if (await connection.ScalarAsync(may, cancellation) is not true)
        {
            await RequireNotedAsync(connection, cancellation);
        }
        else if (await NewestAsync(connection, cancellation) is var newest && newest.Hash != _mine.ConfigHash)
        {
            // Another one that is noted made no rows: the sink had no logs yet.
            await AddAsync(connection, newest.Version + 1, _mine, isFirst || newest.Version > 0, "", cancellation);
        }
    }

    /// <summary>Where no filter chooses the rows, a version tells people alone. One that is not noted would make each line that it leaves out a lost one, once it is changed.</summary>
    /// <exception cref="StoreRefusedException">The filter is not noted, and the sink's user may not note it.</exception>
    private async Task RequireNotedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (_mine.Where is null || (await connection.ScalarAsync(IsReadable, cancellation) is true && (await NewestAsync(connection, cancellation)).Hash == _mine.ConfigHash))
        {
            return;
        }
        string remedy = (string)(await connection.ScalarAsync("""
            SELECT CASE WHEN to_regclass('logpipe_table_versions') IS NULL THEN format('GRANT CREATE ON SCHEMA %I TO %I', current_schema(), current_user)
                ELSE format('GRANT SELECT, INSERT ON logpipe_table_versions TO %I', current_user) END
            """, cancellation))!;
        throw new StoreRefusedException($"sink {sink}: its `where` must be noted in logpipe_table_versions, by which `verify` tells lines that are left out from lost ones, and the sink's user may not: "
            + $"{remedy}, or let the table's owner run this sink once.");
    }

    /// <summary>Notes a version whose rows come from now on, and returns its number.</summary>
    /// <param name="before">The configuration so far.</param>
    public async Task<int> NoteAsync(NpgsqlConnection connection, string before, CancellationToken cancellation)
    {
        (int newest, _) = await NewestAsync(connection, cancellation);
        if (newest == 0)
        {
            await AddAsync(connection, ++newest, RowsVersion.Of(before), isNow: false, "", cancellation);
        }
        string starts = (string)(await connection.ScalarAsync($"SELECT coalesce(json_object_agg(id, next_offset)::text, '') FROM logpipe_logs WHERE sink = {SqlLiteral.Of(sink)}", cancellation))!;
        await AddAsync(connection, ++newest, _mine, isNow: true, starts, cancellation);
        return newest;
    }

    /// <summary>The newest version and its configuration; 0 where none is noted.</summary>
    /// <exception cref="StoreRefusedException">The table is an earlier program's, and not the sink's user's to alter.</exception>
    private async Task<(int Version, string? Hash)> NewestAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync("SELECT to_regclass('logpipe_table_versions')::text", cancellation) is null)
        {
            await connection.ExecuteAsync(Table, cancellation);
        }
        else if (await connection.ScalarAsync(IsOld, cancellation) is true)
        {
            if (await connection.ScalarAsync(IsMine, cancellation) is not true)
            {
                throw new StoreRefusedException($"table logpipe_table_versions is of an earlier version and not the sink's user's: its owner must run ALTER TABLE logpipe_table_versions {Added}.");
            }
            await connection.ExecuteAsync($"ALTER TABLE logpipe_table_versions {Added}", cancellation);
        }
        IReadOnlyList<(int, string?)> newest = await connection.ListAsync(
            $"SELECT version, config_hash FROM logpipe_table_versions WHERE table_identity = '{identity}' ORDER BY version DESC LIMIT 1",
            r => (r.GetInt32(0), (string?)r.GetString(1)), cancellation);
        return newest.Count > 0 ? newest[0] : (0, null);
    }

    private async Task AddAsync(NpgsqlConnection connection, int version, RowsVersion made, bool isNow, string starts, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            INSERT INTO logpipe_table_versions (table_identity, version, parser, settings, columns, config_hash, since, row_filter, starts)
            VALUES ($1, $2, $3, $4, $5, $6, {(isNow ? "now()" : "NULL")}, $7, $8)
            """, connection)
        {
            Parameters =
            {
                new() { Value = identity }, new() { Value = version }, new() { Value = made.Parser }, new() { Value = made.Settings }, new() { Value = made.Columns },
                new() { Value = made.ConfigHash }, new() { Value = (object?)made.Where ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }, new() { Value = starts },
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
