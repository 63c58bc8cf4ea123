using LogPipeline.Sinks.Ledger;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// PostgreSQL refuses every update and delete in a table that has no key and is in a publication, as all are in one for all tables, unless the whole row is
/// named as its identity. Some of the ledger's tables have no key.
/// </summary>
internal static class PublishedTables
{
    private const string Missing = """
        SELECT string_agg(format('ALTER TABLE %s REPLICA IDENTITY FULL', c.oid::regclass), '; ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid IN (to_regclass('logpipe_dead_letters'), to_regclass('logpipe_gaps'), to_regclass('logpipe_repairs'), to_regclass('logpipe_expired'), to_regclass('logpipe_pauses'))
          AND c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AND pg_has_role(c.relowner, 'USAGE')
          AND EXISTS (SELECT FROM pg_publication_tables p WHERE p.schemaname = n.nspname AND p.tablename = c.relname)
        """;

    /// <summary>Gives those that are published an identity, where they are the sink's user's.</summary>
    public static async Task IdentifyAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync(Missing, cancellation) is string statements)
        {
            await connection.ExecuteAsync(statements, cancellation);
        }
    }
}
