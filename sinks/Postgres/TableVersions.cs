using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// <c>logpipe_table_versions</c>: with which parser and columns a table's rows were made, and from when on. For people; what keeps processes with
/// different configurations apart is in the ledger's rows.
/// </summary>
internal sealed class TableVersions(string identity, ILineParser parser, string columns)
{
    private const string Table = """
        CREATE TABLE IF NOT EXISTS logpipe_table_versions (
            table_identity text NOT NULL, version int NOT NULL, parser text NOT NULL, settings text NOT NULL, columns text NOT NULL, config_hash text NOT NULL,
            since timestamptz, PRIMARY KEY (table_identity, version));
        COMMENT ON COLUMN logpipe_table_versions.since IS 'From when on rows are made so; NULL: longer than versions are noted';
        """;

    private string Mine => RowColumns.ConfigHash(parser);

    /// <summary>Notes the present configuration as the first version, where none is noted and the sink's user may.</summary>
    /// <param name="isFirst">Whether no rows are older.</param>
    public async Task TryNoteAsync(NpgsqlConnection connection, bool isFirst, CancellationToken cancellation)
    {
        const string may = """
            SELECT CASE WHEN to_regclass('logpipe_table_versions') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
                ELSE has_table_privilege('logpipe_table_versions', 'SELECT') AND has_table_privilege('logpipe_table_versions', 'INSERT') END
            """;
        if (await connection.ScalarAsync(may, cancellation) is true && await NewestAsync(connection, cancellation) == 0)
        {
            await AddAsync(connection, 1, parser.Name, parser.Settings, columns, Mine, isFirst, cancellation);
        }
    }

    /// <summary>Notes a version whose rows come from now on, and returns its number.</summary>
    /// <param name="before">The configuration so far.</param>
    public async Task<int> NoteAsync(NpgsqlConnection connection, string before, CancellationToken cancellation)
    {
        int newest = await NewestAsync(connection, cancellation);
        if (newest == 0)
        {
            await AddAsync(connection, ++newest, RowColumns.ParserOf(before), "", RowColumns.ColumnsOf(before), before, isNow: false, cancellation);
        }
        await AddAsync(connection, ++newest, parser.Name, parser.Settings, columns, Mine, isNow: true, cancellation);
        return newest;
    }

    /// <summary>The number of the newest version; 0 where none is noted.</summary>
    private async Task<int> NewestAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync("SELECT to_regclass('logpipe_table_versions')::text", cancellation) is null)
        {
            await connection.ExecuteAsync(Table, cancellation);
        }
        return await connection.ScalarAsync($"SELECT max(version) FROM logpipe_table_versions WHERE table_identity = '{identity}'", cancellation) as int? ?? 0;
    }

    private async Task AddAsync(NpgsqlConnection connection, int version, string name, string settings, string made, string hash, bool isNow, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            INSERT INTO logpipe_table_versions (table_identity, version, parser, settings, columns, config_hash, since) VALUES ($1, $2, $3, $4, $5, $6, {(isNow ? "now()" : "NULL")})
            """, connection)
        {
            Parameters =
            {
                new() { Value = identity }, new() { Value = version }, new() { Value = name }, new() { Value = settings }, new() { Value = made }, new() { Value = hash },
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
