using System.Runtime.CompilerServices;
using System.Text;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Query;

/// <summary>Reads the view of a sink in PostgreSQL or SQLite. Rows stream; what is held does not grow with their number.</summary>
internal sealed class SqlLogReader(ISqlDialect dialect, string sink, string table, ILineParser parser, TimeProvider time) : ILogReader
{
    private readonly RowDecoder _decoder = new(dialect, parser);

    public IReadOnlyList<string> Columns { get; } = [.. parser.Columns.Select(c => c.Name)];

    public QueryFields Fields { get; } = new(parser.Columns);

    public string Explain(LogQuery query)
    {
        SqlStatement statement = Sql().Where(query, wholeLines: true).InTimeOrder(query.Descending, after: null).Limit(query.Limit).Select(_decoder.Selected);
        return $"-- {dialect.Name}\n{statement}";
    }

    public async ValueTask OpenAsync(CancellationToken cancellation)
    {
        // Any row will do: asking for the first in some order would sort the whole table.
        await foreach (LogRow _ in ReadAsync(_ => Sql().Limit(1).Select(_decoder.Selected), new LogQuery().Patience, cancellation))
        {
            break;
        }
    }

    public async IAsyncEnumerable<LogRow> QueryAsync(LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        int given = 0;
        SqlStatement Select(LogRow? after) => Sql().Where(query, wholeLines: true).InTimeOrder(query.Descending, after)
            .Limit(query.Limit == 0 ? 0 : query.Limit - given).Select(_decoder.Selected);
        await foreach (LogRow row in ReadAsync(Select, query.Patience, cancellation))
        {
            yield return row.Part == 1 ? await JoinAsync(row, query.Patience, cancellation) : row;
            if (++given == query.Limit)
            {
                break;
            }
        }
    }

    public IAsyncEnumerable<LogRow> TailAsync(LogQuery filter, int last, CancellationToken cancellation)
        => new Tail(dialect, sink, table, time, this).RunAsync(filter, last, cancellation);

    public ValueTask DisposeAsync() => dialect.DisposeAsync();

    /// <summary>The rows of one log between two offsets, in their order.</summary>
    internal IAsyncEnumerable<LogRow> LogAsync(LogQuery filter, int log, long from, long to, long? rowFloor, CancellationToken cancellation)
        => ReadAsync(
            after => Sql().Where(filter, wholeLines: false).InLog(log, after is null ? from : after.LogOffset + 1, to, rowFloor).OrderBy("log_offset").Select(_decoder.Selected),
            TimeSpan.Zero, cancellation);

    /// <summary>Puts the parts of a long line together.</summary>
    private async Task<LogRow> JoinAsync(LogRow first, TimeSpan patience, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        var bytes = new MemoryStream();
        (bool exact, int part) = (true, 0);
        SqlStatement Select(LogRow? after) => Sql().Where(PartsOf(first, after)).OrderBy("part, log_offset").Select(_decoder.Selected);
        await foreach (LogRow row in ReadAsync(Select, patience, cancellation))
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

    private AllOf PartsOf(LogRow first, LogRow? after) => new(
    [
        Compared("topic", ComparisonSign.Equal, first.Topic),
        Compared("generation", ComparisonSign.Equal, first.Generation ?? ""),
        Compared("file_offset", ComparisonSign.Equal, first.FileOffset ?? 0),
        Compared("part", ComparisonSign.Greater, (long)(after?.Part ?? 0)),
    ]);

    private Comparison Compared(string field, ComparisonSign sign, object value) => new(Fields.Find(field)!, sign, value);

    private QuerySql Sql() => new(dialect, table, parser);

    private IAsyncEnumerable<LogRow> ReadAsync(Func<LogRow?, SqlStatement> select, TimeSpan patience, CancellationToken cancellation)
        => dialect.StreamAsync(select, _decoder.Row, patience, cancellation);
}
