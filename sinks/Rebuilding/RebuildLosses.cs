using System.Data.Common;
using System.Globalization;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>What the live table of a rebuild has and the new one never gets, because the log does not have it any more.</summary>
internal sealed class RebuildLosses(RebuildTable table, Rebuild rebuild)
{
    private const string Remedy = "--without-older lets them go with the old table";

    /// <summary>Before the new table is made: rows of records from before those that it begins with.</summary>
    /// <exception cref="RebuildRefusedException">Says how many there are.</exception>
    public async Task RequireNoneOlderAsync(IReadOnlyList<RebuildStart> starts, CancellationToken cancellation)
    {
        IReadOnlyList<LedgerEnd> logs = await LogsAsync(cancellation);
        long older = await CountAsync([.. logs.Select(log => (log.Id, 0L, starts.FirstOrDefault(start => start.IsOf(log))?.First ?? long.MaxValue))], cancellation);
        if (older > 0)
        {
            throw new RebuildRefusedException(
                $"{older} rows of {rebuild.Table} are from before the records that the new table would begin with: they are not in the log any more, or --from leaves them out. {Remedy}");
        }
    }

    /// <summary>Before the swap: rows of records that the log lost, as by its retention, before the shadow had come to them. It has a gap there.</summary>
    /// <exception cref="RebuildRefusedException">Says how many there are.</exception>
    public async Task RequireNonePassedOverAsync(CancellationToken cancellation)
    {
        IReadOnlyList<(int, long, long)> gaps = await WithConnectionAsync(connection => connection.ListAsync(
            $"SELECT live.id, g.from_offset, g.to_offset FROM {RebuildTable.Pairs(rebuild)} JOIN logpipe_gaps g ON g.log = shadow.id WHERE g.reason <> {SqlLiteral.Of(LedgerGap.LeftOut)}",
            reader => (reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2)), cancellation), cancellation);
        if (await CountAsync(gaps, cancellation) is > 0 and var rows)
        {
            throw new RebuildRefusedException($"{rows} rows of {rebuild.Table} are of records that went from the log before the new table had them. Ask for it again; {Remedy}");
        }
    }

    /// <summary>Where the shadow does not get on: whether its logs are still there.</summary>
    /// <exception cref="RebuildRefusedException">One is not, as where its topic was deleted: the shadow would be waited for in vain.</exception>
    public async Task RequireLogsAsync(IReadOnlyList<RebuildStart> starts, CancellationToken cancellation)
    {
        var behind = (await table.OffsetsAsync(rebuild, cancellation)).Where(at => at.Shadow < at.Live).ToDictionary(at => at.Log, at => at.Live - at.Shadow);
        LedgerEnd[] gone = [.. (await LogsAsync(cancellation)).Where(log => behind.ContainsKey(log.Id) && !starts.Any(start => start.IsOf(log))).OrderBy(log => log.Topic, StringComparer.Ordinal).ThenBy(log => log.Partition)];
        if (gone.Length > 0)
        {
            throw new RebuildRefusedException($"the log of {string.Join(", ", gone.Select(log => $"{log.Topic}-{log.Partition}"))} is gone since the rebuild began (the topic was deleted, or the sink's `topics` name it no more): "
                + $"the new table lacks {gone.Sum(log => behind[log.Id])} of its records, which {rebuild.Table} has. Ask for it again; {Remedy}");
        }
    }

    private Task<IReadOnlyList<LedgerEnd>> LogsAsync(CancellationToken cancellation) =>
        WithConnectionAsync(connection => RebuildTable.EndsAsync(connection, rebuild.Sink, cancellation), cancellation);

    private Task<long> CountAsync(IReadOnlyList<(int Log, long From, long To)> stretches, CancellationToken cancellation) => stretches.Count == 0 ? Task.FromResult(0L) : WithConnectionAsync(async connection =>
    {
        string values = string.Join(", ", stretches.Select(stretch => string.Create(CultureInfo.InvariantCulture, $"({stretch.Log}, {stretch.From}, {stretch.To})")));
        await using DbTransaction transaction = await table.Database.Dialect.BeginLongAsync(connection, cancellation);
        await using DbCommand count = connection.Command(
            $"SELECT count(*) FROM {rebuild.Live.Rows} r JOIN (VALUES {values}) AS s ON r.log = s.column1 AND r.log_offset >= s.column2 AND r.log_offset < s.column3");
        (count.Transaction, count.CommandTimeout) = (transaction, 0);
        return (long)(await count.ExecuteScalarAsync(cancellation))!;
    }, cancellation);

    private Task<T> WithConnectionAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellation) => table.GuardAsync(async () =>
    {
        await using DbConnection connection = await table.Database.OpenAsync(cancellation);
        return await work(connection);
    });
}
