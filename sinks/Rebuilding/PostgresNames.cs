using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>
/// Gives another table the live one's names in PostgreSQL: those of tables, their own indexes and views, and the rights on them. A view that
/// people built on the live one reads on where the new one has its columns.
/// </summary>
/// <param name="connection">In a transaction that holds the ledger rows of both sinks: no flush of either is under way.</param>
/// <param name="live">What the names stand for from now on.</param>
/// <param name="incoming">What takes them.</param>
/// <param name="outgoing">What the table that had them is called from now on.</param>
internal sealed class PostgresNames(NpgsqlConnection connection, TableName live, TableName incoming, TableName outgoing)
{
    /// <exception cref="RebuildRefusedException">Triggers and publications would stay with the table that goes, or other views would go on reading it.</exception>
    public async Task ExchangeAsync(CancellationToken cancellation)
    {
        await RequireNothingStaysAsync(cancellation);
        // A query locks the view before the table below it; so does this, or each would wait for the other.
        await RequireNoReadersAsync(live.RowsLiteral, $"AND v.oid <> to_regclass({live.Literal})", cancellation);
        string definition = await DefinitionAsync(incoming, cancellation);
        string before = await DefinitionAsync(live, cancellation);
        if (await FitsAsync(cancellation))
        {
            // What reads the view, and who may, stays.
            await connection.ExecuteAsync($"CREATE OR REPLACE VIEW {live} AS {definition}", cancellation);
            await connection.ExecuteAsync($"DROP VIEW {incoming}; CREATE VIEW {outgoing} AS {before}", cancellation);
        }
        else
        {
            await RequireNoReadersAsync(live.Literal, "", cancellation);
            await CopyRightsAsync(live.Literal, incoming.ToString(), cancellation);
            await connection.ExecuteAsync($"ALTER VIEW {live} RENAME TO {outgoing.Local("")}; ALTER VIEW {incoming} RENAME TO {live.Local("")}", cancellation);
        }
        await CopyRightsAsync(live.RowsLiteral, incoming.Rows, cancellation);
        await RenameAsync(live, outgoing, cancellation);
        await RenameAsync(incoming, live, cancellation);
    }

    private async Task RequireNothingStaysAsync(CancellationToken cancellation)
    {
        string? remedy = await connection.ScalarAsync($"""
            SELECT string_agg(remedy, '; ') FROM (
                SELECT format('DROP TRIGGER %I ON {Quoted(live.Rows)}', tgname) AS remedy FROM pg_trigger WHERE tgrelid = to_regclass({live.RowsLiteral}) AND NOT tgisinternal
                UNION ALL SELECT format('ALTER PUBLICATION %I DROP TABLE {Quoted(live.Rows)}', pubname)
                FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid WHERE prrelid = to_regclass({live.RowsLiteral})) made
            """, cancellation) as string;
        if (remedy is not null)
        {
            throw new RebuildRefusedException($"triggers and publications of {live.Rows} would stay with the table that is swapped out: {remedy}; and make them again after the swap");
        }
    }

    private async Task<string> DefinitionAsync(TableName view, CancellationToken cancellation) =>
        (string)(await connection.ScalarAsync($"SELECT pg_get_viewdef(to_regclass({view.Literal}))", cancellation)
            ?? throw new RebuildRefusedException($"the view {view} is gone"));

    /// <summary>Whether the incoming view has all columns of the live one, in its order, and perhaps more behind them.</summary>
    private async Task<bool> FitsAsync(CancellationToken cancellation)
    {
        static string Of(TableName view) => $"(SELECT array_agg(attname || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum) FROM pg_attribute WHERE attrelid = to_regclass({view.Literal}) AND attnum > 0)";
        return await connection.ScalarAsync($"SELECT (next)[:cardinality(now)] = now FROM (SELECT {Of(live)} AS now, {Of(incoming)} AS next) columns", cancellation) is true;
    }

    private async Task RequireNoReadersAsync(string relation, string but, CancellationToken cancellation)
    {
        string? readers = await connection.ScalarAsync($"""
            SELECT string_agg(DISTINCT v.oid::regclass::text, ', ') FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid JOIN pg_class v ON v.oid = w.ev_class
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass({relation}) AND v.oid <> d.refobjid {but}
            """, cancellation) as string;
        if (readers is not null)
        {
            throw new RebuildRefusedException($"{readers} would go on reading the table that is swapped out: drop that, and make it again after the swap");
        }
    }

    /// <summary>A name inside a format string of SQL's <c>format</c>.</summary>
    private static string Quoted(string name) => name.Replace("'", "''", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal);

    private async Task CopyRightsAsync(string fromLiteral, string to, CancellationToken cancellation)
    {
        string? grants = await connection.ScalarAsync($"""
            SELECT string_agg(format('GRANT %s ON {Quoted(to)} TO %s%s', privilege_type,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '; ')
            FROM (SELECT relowner, (aclexplode(relacl)).* FROM pg_class WHERE oid = to_regclass({fromLiteral})) acl WHERE grantee <> relowner
            """, cancellation) as string;
        if (grants is not null)
        {
            await connection.ExecuteAsync(grants, cancellation);
        }
    }

    /// <summary>Renames the rows table, its own indexes, which are looked for by their names, and what its comment says. Partitions keep their names.</summary>
    private async Task RenameAsync(TableName from, TableName to, CancellationToken cancellation)
    {
        await connection.ExecuteAsync($"ALTER TABLE {from.Rows} RENAME TO {to.Local("_rows")}", cancellation);
        string? rest = await connection.ScalarAsync($"""
            WITH names AS (
                SELECT (parse_ident({SqlLiteral.Of(from.Local(""))}))[1] AS old, (parse_ident({SqlLiteral.Of(to.Local(""))}))[1] AS new, to_regclass({to.RowsLiteral}) AS oid)
            SELECT concat_ws('; ',
                (SELECT string_agg(format('ALTER INDEX %s RENAME TO %I', i.indexrelid::regclass, new || substr(x.relname, length(old) + 1)), '; ')
                    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = names.oid AND starts_with(x.relname, old)),
                (SELECT format('COMMENT ON TABLE {Quoted(to.Rows)} IS %L', regexp_replace(obj_description(names.oid), 'read the view .*\)$',
                    {SqlLiteral.Of($"read the view {to})")})) WHERE obj_description(names.oid) IS NOT NULL))
            FROM names
            """, cancellation) as string;
        await connection.ExecuteAsync(rest!, cancellation);
    }
}
