using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Text;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Query;

/// <summary>Reads the view of a sink in PostgreSQL or SQLite. Rows stream; nothing is held but the row at hand.</summary>
internal sealed class SqlLogReader(ISqlDialect dialect, string sink, string table, ILineParser parser, TimeProvider time) : ILogReader
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    public IReadOnlyList<string> Columns { get; } = [.. parser.Columns.Select(c => c.Name)];

    public async ValueTask OpenAsync(CancellationToken cancellation)
    {
        // Any row will do: asking for the first in some order would sort the whole table.
        await foreach (LogRow _ in ReadAsync(new QuerySql(dialect, table, parser).Limit(1), cancellation))
        {
            break;
        }
    }

    public async IAsyncEnumerable<LogRow> QueryAsync(LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string direction = query.Descending ? " DESC" : "";
        QuerySql sql = new QuerySql(dialect, table, parser).Where(query, wholeLines: true)
            .OrderBy($"time{direction}, topic{direction}, partition{direction}, log_offset{direction}").Limit(query.Limit);
        await foreach (LogRow row in ReadAsync(sql, cancellation))
        {
            yield return row.Part == 1 ? await JoinAsync(row, cancellation) : row;
        }
    }

    public async IAsyncEnumerable<LogRow> TailAsync(LogQuery filter, int last, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // Rows below a ledger's next offset are committed: what is read between two of its values is all there is, once.
        long? floor = await LastRowAsync(cancellation);
        SortedDictionary<int, (string Topic, int Partition, long Next)> positions = await ReadLedgerAsync(cancellation);
        if (last > 0)
        {
            var recent = new List<LogRow>();
            await foreach (LogRow row in QueryAsync(filter with { Limit = last, Descending = true }, cancellation))
            {
                recent.Add(row);
            }
            for (int i = recent.Count - 1; i >= 0; i--)
            {
                if (IsBelow(recent[i], positions))
                {
                    yield return recent[i];
                }
            }
        }
        while (true)
        {
            await Task.Delay(PollInterval, time, cancellation);
            long? nextFloor = await LastRowAsync(cancellation);
            SortedDictionary<int, (string Topic, int Partition, long Next)> ledger = await ReadLedgerAsync(cancellation);
            foreach ((int id, (string Topic, int Partition, long Next) log) in ledger)
            {
                long from = positions.TryGetValue(id, out (string Topic, int Partition, long Next) known) ? known.Next : 0;
                if (log.Next <= from)
                {
                    continue;
                }
                QuerySql sql = new QuerySql(dialect, table, parser).Where(filter, wholeLines: false).InLog(id, from, log.Next, floor).OrderBy("log_offset");
                await foreach (LogRow row in ReadAsync(sql, cancellation))
                {
                    yield return row;
                }
            }
            (positions, floor) = (ledger, nextFloor);
        }
    }

    public ValueTask DisposeAsync() => dialect.DisposeAsync();

    private static bool IsBelow(LogRow row, SortedDictionary<int, (string Topic, int Partition, long Next)> positions) =>
        positions.Values.Any(p => p.Topic == row.Topic && p.Partition == row.Partition && row.LogOffset < p.Next);

    private async Task<SortedDictionary<int, (string Topic, int Partition, long Next)>> ReadLedgerAsync(CancellationToken cancellation)
    {
        var ledger = new SortedDictionary<int, (string, int, long)>();
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT id, topic, partition, next_offset FROM logpipe_logs WHERE table_name = '{table}' AND sink = @sink";
        DbParameter parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = ("@sink", sink);
        command.Parameters.Add(parameter);
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        while (await dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            ledger[reader.GetInt32(0)] = (reader.GetString(1), reader.GetInt32(2), reader.GetInt64(3));
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

    /// <summary>Puts the parts of a long line together.</summary>
    private async Task<LogRow> JoinAsync(LogRow first, CancellationToken cancellation)
    {
        var query = new LogQuery
        {
            Where =
            [
                new("topic", Comparison.Equal, first.Topic), new("generation", Comparison.Equal, first.Generation ?? ""),
                new("file_offset", Comparison.Equal, $"{first.FileOffset}"), new("part", Comparison.GreaterOrEqual, "1"),
            ],
        };
        var text = new StringBuilder();
        var bytes = new MemoryStream();
        (bool exact, int part) = (true, 0);
        await foreach (LogRow row in ReadAsync(new QuerySql(dialect, table, parser).Where(query, wholeLines: false).OrderBy("part, log_offset"), cancellation))
        {
            if (row.Part == part)
            {
                continue;
            }
            part = row.Part;
            text.Append(row.Line);
            exact &= row.Raw is null;
            bytes.Write(row.Raw ?? Encoding.UTF8.GetBytes(row.Line ?? ""));
        }
        // A character may be cut in two by the border of two parts: then the bytes say what the text cannot.
        return first with { Line = exact ? text.ToString() : Encoding.UTF8.GetString(bytes.ToArray()), Raw = exact ? null : bytes.ToArray() };
    }

    private async IAsyncEnumerable<LogRow> ReadAsync(QuerySql sql, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbCommand command = sql.Command(connection);
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        while (await dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            yield return Row(reader);
        }
    }

    private LogRow Row(DbDataReader reader)
    {
        object?[] columns = new object?[parser.Columns.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            int at = 12 + i;
            columns[i] = reader.IsDBNull(at) ? null : parser.Columns[i].Kind switch
            {
                ColumnKind.Text => reader.GetString(at),
                ColumnKind.Time => dialect.ReadTime(reader, at),
                _ => Convert.ToInt64(reader.GetValue(at), System.Globalization.CultureInfo.InvariantCulture),
            };
        }
        string? Text(int at) => reader.IsDBNull(at) ? null : reader.GetString(at);
        return new LogRow(
            reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2), dialect.ReadTime(reader, 3), Text(4), Text(5), Text(6),
            reader.IsDBNull(7) ? null : reader.GetInt64(7), reader.GetInt32(8), Text(9), reader.IsDBNull(10) ? null : reader.GetFieldValue<byte[]>(10),
            reader.GetBoolean(11), columns);
    }
}
