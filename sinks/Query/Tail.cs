using System.Data.Common;
using System.Runtime.CompilerServices;

namespace LogPipeline.Sinks.Query;

/// <summary>Follows a sink's rows: rows below a ledger's next offset are committed, so what is read between two of its values is all there is, once.</summary>
internal sealed class Tail(ISqlDialect dialect, string sink, string table, TimeProvider time, SqlLogReader rows)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Where a log's committed rows end.</summary>
    private readonly record struct Committed(string Topic, int Partition, long Next);

    public async IAsyncEnumerable<LogRow> RunAsync(LogQuery filter, int last, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long? floor = await LastRowAsync(cancellation);
        SortedDictionary<int, Committed> positions = await ReadLedgerAsync(cancellation);
        foreach (LogRow row in await RecentAsync(filter, last, positions, cancellation))
        {
            yield return row;
        }
        while (true)
        {
            await Task.Delay(PollInterval, time, cancellation);
            long? nextFloor = await LastRowAsync(cancellation);
            SortedDictionary<int, Committed> ledger = await ReadLedgerAsync(cancellation);
            foreach ((int id, Committed log) in ledger)
            {
                long from = positions.TryGetValue(id, out Committed known) ? known.Next : 0;
                if (log.Next <= from)
                {
                    continue;
                }
                await foreach (LogRow row in rows.LogAsync(filter, id, from, log.Next, floor, cancellation))
                {
                    yield return row;
                }
            }
            (positions, floor) = (ledger, nextFloor);
        }
    }

    private async Task<List<LogRow>> RecentAsync(LogQuery filter, int last, SortedDictionary<int, Committed> positions, CancellationToken cancellation)
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
        return recent.FindAll(row => positions.Values.Any(p => p.Topic == row.Topic && p.Partition == row.Partition && row.LogOffset < p.Next));
    }

    private async Task<SortedDictionary<int, Committed>> ReadLedgerAsync(CancellationToken cancellation)
    {
        var ledger = new SortedDictionary<int, Committed>();
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbCommand command = connection.CreateCommand();
        new SqlStatement("SELECT id, topic, partition, next_offset FROM logpipe_logs WHERE table_name = @p0 AND sink = @p1", [table, sink]).Fill(command);
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        while (await dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            ledger[reader.GetInt32(0)] = new Committed(reader.GetString(1), reader.GetInt32(2), reader.GetInt64(3));
        }
        return ledger;
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
        command.CommandText = $"SELECT coalesce(max(rowid), 0) FROM {table}_rows";
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        return await dialect.AskAsync(reader.ReadAsync(cancellation)) ? reader.GetInt64(0) : 0;
    }
}
