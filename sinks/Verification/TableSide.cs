using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using LogPipeline.Client;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>A log's ledger row, as far as a comparison needs it.</summary>
internal sealed record PinnedLog(int Id, Guid TopicId, string Topic, int Partition, long NextOffset)
{
    public TopicPartition TopicPartition => new(Topic, Partition);
}

/// <summary>A row of the table.</summary>
internal readonly record struct TableRow(long Offset, int Source, long FileOffset, int Part, byte[] Bytes);

/// <summary>A row of <c>logpipe_sources</c>.</summary>
internal sealed record TableSource(int Id, SourceKey Key, string Host, string File, StoredRanges Stored);

/// <summary>Reads ledger and rows for a comparison.</summary>
internal sealed class TableSide(ISqlDialect dialect, string sink, TableName table)
{
    public Task<IReadOnlyList<PinnedLog>> LogsAsync(string clusterId, CancellationToken cancellation) => ReadAsync(
        "SELECT id, CAST(topic_id AS text), topic, partition, next_offset FROM logpipe_logs WHERE sink = @p0 AND cluster_id = @p1 ORDER BY id",
        r => new PinnedLog(r.GetInt32(0), Guid.Parse(r.GetString(1)), r.GetString(2), r.GetInt32(3), r.GetInt64(4)), cancellation, sink, clusterId);

    public Task<IReadOnlyList<TableSource>> SourcesAsync(CancellationToken cancellation) => ReadAsync(
        "SELECT id, CAST(agent_id AS text), generation, topic, host, file, CAST(stored AS text) FROM logpipe_sources WHERE sink = @p0 ORDER BY id",
        r => new TableSource(
            r.GetInt32(0), new SourceKey(Guid.Parse(r.GetString(1)), Convert.ToUInt64(r.GetString(2), 16), r.GetString(3)), r.GetString(4), r.GetString(5),
            RangeText.Parse(r.GetString(6))),
        cancellation, sink);

    /// <summary>Whether the user may read with which filters the sink's table was filled.</summary>
    public Task<bool> MayReadVersionsAsync(CancellationToken cancellation) => HoldsAsync(dialect.MayRead("logpipe_table_versions"), cancellation);

    /// <summary>With which parsers and filters the sink's table was filled, in order; empty where nobody noted it.</summary>
    public async Task<IReadOnlyList<TableVersion>> VersionsAsync(CancellationToken cancellation)
    {
        if (!await HoldsAsync(dialect.HasTable("logpipe_table_versions"), cancellation))
        {
            return [];
        }
        // An earlier program's table lacks the columns of filters: so all columns are asked for.
        return await ReadAsync("""
            SELECT * FROM logpipe_table_versions WHERE table_identity = (SELECT min(table_identity) FROM logpipe_logs WHERE sink = @p0) ORDER BY version
            """, r => TableVersion.Of(Text(r, "parser") ?? "", Text(r, "row_filter"), Text(r, "config_hash") ?? "", Text(r, "starts") ?? ""), cancellation, sink);
    }

    private async Task<bool> HoldsAsync(string test, CancellationToken cancellation) =>
        (await ReadAsync($"SELECT {test}", r => Convert.ToBoolean(r.GetValue(0), CultureInfo.InvariantCulture), cancellation))[0];

    private static string? Text(DbDataReader reader, string column)
    {
        for (int i = 0; i < reader.FieldCount; i++)
        {
            if (reader.GetName(i) == column)
            {
                return reader.IsDBNull(i) ? null : reader.GetString(i);
            }
        }
        return null;
    }

    /// <summary>How many rows there are of logs that the ledger does not have: nothing tells where they come from, and the view shows them.</summary>
    public async Task<long> RowsWithoutLogAsync(CancellationToken cancellation) =>
        (await ReadAsync($"SELECT count(*) FROM {table.Rows} WHERE log NOT IN (SELECT id FROM logpipe_logs)", r => r.GetInt64(0), cancellation))[0];

    public async Task<HashSet<long>> DeadLettersAsync(int log, CancellationToken cancellation) =>
        [.. await ReadAsync($"SELECT log_offset FROM logpipe_dead_letters WHERE log = {log}", r => r.GetInt64(0), cancellation)];

    /// <summary>Offsets whose rows a repair removed.</summary>
    public async Task<StoredRanges> RepairsAsync(int log, CancellationToken cancellation)
    {
        var removed = new StoredRanges();
        foreach ((long from, long to) in await ReadAsync(
            $"SELECT from_offset, to_offset FROM logpipe_repairs WHERE log = {log}", r => (r.GetInt64(0), r.GetInt64(1)), cancellation))
        {
            removed.Add(from, to);
        }
        return removed;
    }

    /// <summary>What retention took; to be read behind the rows, which it may take meanwhile.</summary>
    public ValueTask<ExpiredRows> ExpiredAsync(int log, CancellationToken cancellation) => dialect.ExpiredAsync(table, log, cancellation);

    public Task<IReadOnlyList<(long From, long To, string Reason)>> GapsAsync(int log, CancellationToken cancellation) =>
        ReadAsync($"SELECT from_offset, to_offset, reason FROM logpipe_gaps WHERE log = {log} ORDER BY from_offset", r => (r.GetInt64(0), r.GetInt64(1), r.GetString(2)), cancellation);

    /// <summary>The rows of a log below the pinned offset, in offset order.</summary>
    public IAsyncEnumerable<TableRow> RowsAsync(PinnedLog log, CancellationToken cancellation) => StreamAsync(
        $"""
        SELECT log_offset, coalesce(source, 0), coalesce(file_offset, 0), part, {dialect.Bytes} FROM {table.Rows}
        WHERE log = {log.Id} AND log_offset < {log.NextOffset} ORDER BY log_offset
        """, r => new TableRow(r.GetInt64(0), r.GetInt32(1), r.GetInt64(2), r.GetInt32(3), r.GetFieldValue<byte[]>(4)), cancellation);

    internal async Task<IReadOnlyList<T>> ReadAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancellation, params object?[] values) =>
        await StreamAsync(sql, read, cancellation, values).ToListAsync(cancellation);

    /// <summary>A whole table may be read or counted, so no time bounds it, neither the driver's nor one that is the user's in the server.</summary>
    private async IAsyncEnumerable<T> StreamAsync<T>(string sql, Func<DbDataReader, T> read, [EnumeratorCancellation] CancellationToken cancellation, params object?[] values)
    {
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbTransaction transaction = await dialect.AskAsync(dialect.BeginLongAsync(connection, cancellation).AsTask());
        await using DbCommand command = connection.Command(sql, values);
        (command.Transaction, command.CommandTimeout) = (transaction, 0);
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        while (await dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            yield return read(reader);
        }
    }
}
