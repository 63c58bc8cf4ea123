using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// Takes a table over to a changed parser, in the transaction that opens the store: all of it or nothing, and one process at a time.
/// <list type="number">
/// <item>The sink's ledger rows get the new configuration and lose their owners. So no flush of a process with the earlier one commits any more,
/// and its claims are refused; flushes that are under way are waited for.</item>
/// <item>Columns that are missing are added, and the view shows them. Those that the new parser does not make stay, and are NULL in new rows.</item>
/// <item>The version is noted in <c>logpipe_table_versions</c>.</item>
/// </list>
/// </summary>
internal sealed class TableMigration(string sink, TableName table, ILineParser parser, LedgerLocks locks, bool mayMigrate)
{
    /// <summary>Queries that come meanwhile wait behind the lock: not for long. The caller tries again.</summary>
    private const string LockTimeout = "1s";

    private readonly string _mine = RowColumns.ConfigHash(parser);
    private readonly RowsTable _rows = new(table, parser);

    private string SinkLiteral => SqlLiteral.Of(sink);

    /// <summary>Whether tables may be made and taken over, see <see cref="MigrationRight"/>.</summary>
    public bool MayMigrate => mayMigrate;

    /// <summary>What became of the table, for people; null when nothing did.</summary>
    public string? Change { get; private set; }

    /// <param name="isNew">Whether the table was made in this transaction.</param>
    /// <exception cref="StoreRefusedException">The table cannot be taken over: says why and what to do.</exception>
    /// <exception cref="TableReplacedException">A rebuild has given the table the other parser since the configuration was asked for.</exception>
    public async Task RunAsync(NpgsqlConnection connection, string identity, bool isNew, CancellationToken cancellation)
    {
        IReadOnlyList<string> configurations = await connection.TextsAsync($"SELECT DISTINCT config_hash FROM logpipe_logs WHERE sink = {SinkLiteral} ORDER BY 1", cancellation);
        string? other = configurations.FirstOrDefault(configuration => configuration != _mine);
        if (other is not null && !mayMigrate)
        {
            throw StoreRefusedException.WrittenOtherwise(sink, $"table {table.Rows}", other, _mine);
        }
        if (other is not null && await IsRebuiltAsync(connection, cancellation))
        {
            throw RebuiltParser.SwappedMeanwhile(table.ToString());
        }
        var versions = new TableVersions(sink, identity, parser, new TableShape(table, parser).Parsed);
        if (other is null && configurations.Count > 0)
        {
            await versions.TryNoteAsync(connection, isFirst: false, cancellation);
            return;
        }
        IReadOnlyList<(string Name, string Type)> added = isNew ? [] : await new TableShape(table, parser).ToBeAddedAsync(connection, cancellation);
        if (other is not null)
        {
            await FenceAsync(connection, cancellation);
        }
        if (added.Count > 0 || other is not null)
        {
            await AlterAsync(connection, added, cancellation);
        }
        if (other is not null)
        {
            int version = await versions.NoteAsync(connection, other, cancellation);
            Change = TableChange.Of($"table {table.Rows}", parser, version, [.. added.Select(column => $"{column.Name} {column.Type}")]);
        }
        else
        {
            await versions.TryNoteAsync(connection, isFirst: isNew, cancellation);
        }
    }

    private async Task<bool> IsRebuiltAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.ScalarAsync("SELECT to_regclass('logpipe_rebuilds')::text", cancellation) is not null
        && await connection.ScalarAsync(RebuiltParser.Select("true", SinkLiteral, SqlLiteral.Of(_mine)), cancellation) is not null;

    private Task<bool> FenceAsync(NpgsqlConnection connection, CancellationToken cancellation) => locks.WaitAsync(connection, async giveUp =>
    {
        await using var command = new NpgsqlCommand($"UPDATE logpipe_logs SET config_hash = $1, owner = $2 WHERE sink = {SinkLiteral}", connection)
        {
            CommandTimeout = 0,
            Parameters = { new() { Value = _mine }, new() { Value = OwnerToken.Nobody.Value } },
        };
        await command.ExecuteNonQueryAsync(giveUp);
        return true;
    }, cancellation);

    private async Task AlterAsync(NpgsqlConnection connection, IReadOnlyList<(string Name, string Type)> added, CancellationToken cancellation)
    {
        await RequireRightsAsync(connection, added, cancellation);
        try
        {
            await connection.ExecuteAsync($"SET LOCAL lock_timeout = '{LockTimeout}'", cancellation);
            if (added.Count > 0)
            {
                await _rows.AddAsync(connection, added, cancellation);
            }
            await _rows.ExtendViewAsync(connection, cancellation);
            await connection.ExecuteAsync("SET LOCAL lock_timeout = 0", cancellation);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new StoreUnavailableException($"table {table.Rows} gets columns for parser {parser.Name} as soon as nobody holds it: a long query or a dump reads it, or another session has it locked.", error);
        }
    }

    /// <exception cref="StoreRefusedException">Table or view is not the sink's user's to alter.</exception>
    private async Task RequireRightsAsync(NpgsqlConnection connection, IReadOnlyList<(string Name, string Type)> added, CancellationToken cancellation)
    {
        string? remedy = await connection.ScalarAsync($"""
            SELECT string_agg(DISTINCT format('GRANT %I TO %I', pg_get_userbyid(relowner), current_user), '; ') FROM pg_class
            WHERE oid IN (to_regclass({table.RowsLiteral}), to_regclass({table.Literal})) AND NOT pg_has_role(relowner, 'USAGE')
            """, cancellation) as string;
        if (remedy is not null && (added.Count > 0 || await _rows.LacksInViewAsync(connection, cancellation)))
        {
            throw new StoreRefusedException($"the sink's user may not alter table {table.Rows} and its view, which must get columns for parser {parser.Name}: {remedy}, "
                + "which makes it an owner too; or let the owner run this sink once.");
        }
    }
}
