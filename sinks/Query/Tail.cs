using System.Data.Common;
using System.Runtime.CompilerServices;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>Follows a sink's rows: rows below a ledger's next offset are committed, so what is read between two of its values is all there is, once.</summary>
internal sealed class Tail(ISqlDialect dialect, string sink, TableName table, TimeProvider time, SqlLogReader rows)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    private readonly LedgerEnds _ledger = new(dialect, sink, table);

    public async IAsyncEnumerable<LogRow> RunAsync(LogQuery filter, int last, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long? floor = await LastRowAsync(cancellation);
        IReadOnlyList<LedgerEnd> ends = await _ledger.ReadAsync(cancellation);
        foreach (LogRow row in await RecentAsync(filter, last, ends, cancellation))
        {
            yield return row;
        }
        while (true)
        {
            await Task.Delay(PollInterval, time, cancellation);
            long? nextFloor = await LastRowAsync(cancellation);
            IReadOnlyList<LedgerEnd> now = await _ledger.ReadAsync(cancellation);
            foreach (LedgerEnd log in now)
            {
                long from = ends.FirstOrDefault(known => known.Id == log.Id)?.Next ?? 0;
                if (log.Next <= from)
                {
                    continue;
                }
                await foreach (LogRow row in rows.LogAsync(filter, log.Id, from, log.Next, floor, cancellation))
                {
                    yield return row;
                }
            }
            (ends, floor) = (now, nextFloor);
        }
    }

    /// <summary>The newest rows below the logs' ends, the oldest first.</summary>
    public async Task<List<LogRow>> RecentAsync(LogQuery filter, int last, IReadOnlyList<LedgerEnd> ends, CancellationToken cancellation)
    {
        var recent = new List<LogRow>();
        if (last > 0)
        {
            await foreach (LogRow row in rows.QueryAsync(filter with { Limit = last, Descending = true }, cancellation))
            {
                recent.Add(row);
            }
        }
        recent.Reverse();
        return recent.FindAll(row => ends.Any(log => log.Topic == row.Topic && log.Partition == row.Partition && row.LogOffset < log.Next));
    }

    /// <summary>SQLite numbers its rows, so that a tail need not look at old ones; null in PostgreSQL, whose index knows offsets.</summary>
    private async Task<long?> LastRowAsync(CancellationToken cancellation)
    {
        if (dialect.RowId is null)
        {
            return null;
        }
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT coalesce(max(rowid), 0) FROM {table.Rows}";
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        return await dialect.AskAsync(reader.ReadAsync(cancellation)) ? reader.GetInt64(0) : 0;
    }
}
