using System.Data;
using System.Globalization;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres.Partitions;

/// <summary>
/// Makes the partitions that rows need, each with its table in one transaction of its own, never in a flush's: a flush holds its ledger row, and
/// the lock that a partition needs may have to be waited for. The lock also lets one worker make a partition that two of them miss.
/// Any thread may call: what is known is replaced as a whole.
/// </summary>
/// <param name="apart">Connects without a pool, whose connections flushes may hold.</param>
internal sealed class RowsPartitions(TableName table, TimeSpan? retention, TimeProvider time, NpgsqlDataSource apart)
{
    /// <summary>Partitions of one transaction: each holds a handful of locks until its end.</summary>
    private const int AtOnce = 16;

    private Known? _known;

    /// <summary>Forgets what is known, after the server had no partition for a row: somebody removed it.</summary>
    public void Forget() => Volatile.Write(ref _known, null);

    /// <summary>Rows have to go by way of the whole table: a partition takes none, or the table has triggers. Until partitions are looked at again.</summary>
    public void GoByTable()
    {
        if (Volatile.Read(ref _known) is { } known)
        {
            Volatile.Write(ref _known, known with { TakeRows = false });
        }
    }

    /// <summary>Makes what these rows need and is missing; costs a look at each row's time where nothing is.</summary>
    /// <returns>The partition, as SQL, that all of them go to; null where they go to several, or have to go by way of the table.</returns>
    /// <exception cref="StoreRefusedException">The sink's user may not make it.</exception>
    public async Task<string?> EnsureAsync(RowBatch rows, CancellationToken cancellation)
    {
        Known known = Volatile.Read(ref _known) ?? await LearnAsync(cancellation);
        List<long> missing = Missing(known, rows, out TimeRange? only);
        if (missing.Count > 0)
        {
            await MakeAsync(missing, cancellation);
            return null;
        }
        return only is { } range && known.TakeRows ? known.Partitions.FirstOrDefault(partition => partition.Range == range && !partition.IsLeaving)?.Name : null;
    }

    /// <summary>Makes today's partition and those of the days ahead.</summary>
    /// <exception cref="StoreRefusedException">The sink's user may not make them.</exception>
    public async Task EnsureAheadAsync(CancellationToken cancellation)
    {
        Known known = await LearnAsync(cancellation);
        if (known.IsPartitioned)
        {
            await MakeAsync([.. Plan(known.Ranges).ComingDays], cancellation);
        }
    }

    private PartitionPlan Plan(IEnumerable<TimeRange> taken) => new(taken, PartitionPlan.Microseconds(time.GetUtcNow().UtcDateTime), retention);

    /// <summary>One time for each partition that is missing.</summary>
    /// <param name="known">What is there.</param>
    /// <param name="rows">What needs them.</param>
    /// <param name="only">The times of the one partition that all rows go to; null where they go to several.</param>
    private List<long> Missing(Known known, RowBatch rows, out TimeRange? only)
    {
        List<long> missing = [];
        only = null;
        if (!known.IsPartitioned)
        {
            return missing;
        }
        PartitionPlan? plan = null;
        var last = default(TimeRange);
        int changes = 0;
        foreach (ref readonly Row row in rows.Rows)
        {
            // Neighbouring rows nearly always are of one day.
            if (last.Contains(row.EventTime) || row.State == RowState.Unwanted)
            {
                continue;
            }
            last = (plan ??= Plan(known.Ranges)).Place(row.EventTime, out bool isNew);
            changes++;
            if (isNew)
            {
                missing.Add(row.EventTime);
            }
        }
        only = changes == 1 ? last : null;
        return missing;
    }

    private async Task<Known> LearnAsync(CancellationToken cancellation)
    {
        await using NpgsqlConnection own = await apart.OpenConnectionAsync(cancellation);
        return await LearnAsync(own, cancellation);
    }

    private async Task<Known> LearnAsync(NpgsqlConnection own, CancellationToken cancellation)
    {
        bool isPartitioned = await PartitionCatalog.IsPartitionedAsync(own, table, cancellation);
        IReadOnlyList<Partition> partitions = isPartitioned ? await PartitionCatalog.ReadAsync(own, table, cancellation) : [];
        var known = new Known(isPartitioned, partitions);
        Volatile.Write(ref _known, known);
        return known;
    }

    private async Task MakeAsync(List<long> times, CancellationToken cancellation)
    {
        await using NpgsqlConnection own = await apart.OpenConnectionAsync(cancellation);
        while (await MakeSomeAsync(own, times, cancellation))
        {
            // The next ones, in a transaction of their own.
        }
        await LearnAsync(own, cancellation);
    }

    /// <summary>Returns whether more are missing.</summary>
    private async Task<bool> MakeSomeAsync(NpgsqlConnection own, List<long> times, CancellationToken cancellation)
    {
        await using NpgsqlTransaction transaction = await own.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        await own.ExecuteAsync("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '10s'", cancellation);
        List<TimeRange> missing = Ranges(await LearnAsync(own, cancellation), times);
        if (missing.Count == 0)
        {
            return false;
        }
        string schema = await RequireRightAsync(own, missing[0], cancellation);
        // Rows go in and out beside it.
        await own.ExecuteAsync($"LOCK TABLE ONLY {table.Rows} IN SHARE UPDATE EXCLUSIVE MODE", cancellation);
        missing = Ranges(await LearnAsync(own, cancellation), times);
        foreach (TimeRange range in missing.Take(AtOnce))
        {
            string name = await FreeNameAsync(own, schema, range, cancellation);
            await own.ExecuteAsync($"CREATE TABLE {name} (LIKE {table.Rows} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY)", cancellation);
            await own.ExecuteAsync($"ALTER TABLE {table.Rows} ATTACH PARTITION {name} FOR VALUES FROM ({Bound(range.From)}) TO ({Bound(range.To)})", cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return missing.Count > AtOnce;
    }

    private List<TimeRange> Ranges(Known known, List<long> times)
    {
        PartitionPlan plan = Plan(known.Ranges);
        var missing = new List<TimeRange>();
        foreach (long wanted in times)
        {
            TimeRange range = plan.Place(wanted, out bool isNew);
            if (isNew)
            {
                missing.Add(range);
            }
        }
        return missing;
    }

    /// <summary>Returns the schema of the table, as SQL.</summary>
    private async Task<string> RequireRightAsync(NpgsqlConnection own, TimeRange range, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            SELECT quote_ident(n.nspname), concat_ws('; ',
                CASE WHEN NOT pg_has_role(c.relowner, 'USAGE') THEN format('GRANT %I TO %I, which makes it an owner too, or ALTER TABLE %s OWNER TO %2$I', pg_get_userbyid(c.relowner), current_user, c.oid::regclass) END,
                CASE WHEN NOT has_schema_privilege(n.oid, 'CREATE') THEN format('GRANT CREATE ON SCHEMA %I TO %I', n.nspname, current_user) END), current_user::text
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({table.RowsLiteral})
            """, own);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        if (!await reader.ReadAsync(cancellation))
        {
            throw new StoreRefusedException($"table {table.Rows} is gone");
        }
        return reader.GetString(1) is not { Length: > 0 } remedy ? reader.GetString(0) : throw new StoreRefusedException(
            $"table {table.Rows} has no partition for {Text(range.From == long.MinValue ? range.To - 1 : range.From)[..10]}, and user {reader.GetString(2)} may not make it: {remedy}. "
            + "Until then the sink waits with the lines of that time; no row is thrown aside.");
    }

    /// <summary>Such as <c>web_log_20261121</c>: the first day. A partition that was taken out, by retention or by hand, may still have that name.</summary>
    private async Task<string> FreeNameAsync(NpgsqlConnection own, string schema, TimeRange range, CancellationToken cancellation)
    {
        string day = range.From == long.MinValue ? $"_to_{Day(range.To)}" : $"_{Day(range.From)}";
        for (int n = 1; ; n++)
        {
            string name = $"{schema}.{table.Local(n == 1 ? day : string.Create(CultureInfo.InvariantCulture, $"{day}_{n}"))}";
            if (await own.ScalarAsync($"SELECT to_regclass({SqlLiteral.Of(name)})::text", cancellation) is null)
            {
                return name;
            }
        }
    }

    private static string Day(long microseconds) => Moment(microseconds).ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    private static string Bound(long microseconds) => microseconds switch
    {
        long.MinValue => "MINVALUE",
        long.MaxValue => "MAXVALUE",
        _ => $"'{Text(microseconds)}'",
    };

    private static string Text(long microseconds) => Moment(microseconds).ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + "+00";

    private static DateTime Moment(long microseconds) => DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <param name="IsPartitioned">False for the table of an earlier version.</param>
    /// <param name="Partitions">Those that are there.</param>
    private sealed record Known(bool IsPartitioned, IReadOnlyList<Partition> Partitions)
    {
        public IEnumerable<TimeRange> Ranges => Partitions.Select(static partition => partition.Range);

        /// <summary>Rows may go straight to a partition.</summary>
        public bool TakeRows { get; init; } = true;
    }
}
