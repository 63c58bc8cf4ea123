using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Text;
using LogPipeline.Client.Connections;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>Reads the view of a sink in PostgreSQL or SQLite. Rows stream; what is held does not grow with their number.</summary>
internal sealed class SqlLogReader(ISqlDialect dialect, SinkOptions options, TableName table, ILineParser parser, TimeProvider time) : ILogReader
{
    private readonly RowDecoder _decoder = new(dialect, parser);
    private readonly RareValues _rareValues = new(options.Postgres is { } postgres ? RowIndex.Read(postgres.Indexes, parser, isSqlite: false) : []);

    public IReadOnlyList<string> Columns { get; } = [.. parser.Columns.Select(c => c.Name)];

    public QueryFields Fields { get; } = new(parser.Columns);

    public string Explain(LogQuestion question)
    {
        string windows = question is RowsQuestion { Query.Descending: true } && !dialect.HasTimeIndex ? ", read in windows of time, the newest first, where it costs much at once" : "";
        return $"-- {dialect.Name}{windows}\n{Statement(question)}";
    }

    public IAsyncEnumerable<RowCount> CountAsync(LogQuestion question, CancellationToken cancellation)
    {
        SqlStatement statement = Statement(question) with { ByIndex = _rareValues.Serve(question.Query.Filter) };
        RowCount Read(DbDataReader reader) => question switch
        {
            CountQuestion => new RowCount(null, reader.GetInt64(0)),
            HistogramQuestion => new RowCount(dialect.ReadBucket(reader, 0), reader.GetInt64(1)),
            _ => new RowCount(reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetInt64(1)),
        };
        return dialect.StreamAsync<RowCount>(_ => statement, Read, question.Query.Patience, cancellation);
    }

    public async ValueTask<IReadOnlyList<LogRow>> AroundAsync(LogRow row, int before, int after, CancellationToken cancellation)
        => await new Surroundings(this, Fields).ReadAsync(row, before, after, cancellation);

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
        IAsyncEnumerable<LogRow> rows = query.Descending && !dialect.HasTimeIndex
            ? new NewestFirst(dialect, Sql, _decoder, table, time).RunAsync(query, _rareValues.Serve(query.Filter), cancellation) : InTimeOrderAsync(query, cancellation);
        await foreach (LogRow row in rows)
        {
            yield return row.Part == 1 ? await JoinAsync(row, query.Patience, cancellation) : row;
        }
    }

    public IAsyncEnumerable<LogRow> TailAsync(LogQuery filter, int last, CancellationToken cancellation)
        => new Tail(dialect, options.Name, table, time, this).RunAsync(filter, last, cancellation);

    public IAsyncEnumerable<LogRow> LiveAsync(LogQuery filter, int last, IConnector connector, Random random, CancellationToken cancellation)
        => new LiveTail(options, dialect, table, parser, this, time).RunAsync(filter, last, connector, random, cancellation);

    public ValueTask DisposeAsync() => dialect.DisposeAsync();

    /// <summary>The rows of one log between two offsets, in their order.</summary>
    internal IAsyncEnumerable<LogRow> LogAsync(LogQuery filter, int log, long from, long to, long? rowFloor, CancellationToken cancellation)
        => ReadAsync(
            after => Sql().Where(filter, wholeLines: false).InLog(log, after is null ? from : after.LogOffset + 1, to, rowFloor).OrderBy("log_offset").Select(_decoder.Selected),
            TimeSpan.Zero, cancellation);

    private async IAsyncEnumerable<LogRow> InTimeOrderAsync(LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        int given = 0;
        SqlStatement Select(LogRow? after) => Sql().Where(query, wholeLines: true).InTimeOrder(query.Descending, after)
            .Limit(query.Limit == 0 ? 0 : query.Limit - given).Select(_decoder.Selected) with { ByIndex = _rareValues.Serve(query.Filter) };
        await foreach (LogRow row in ReadAsync(Select, query.Patience, cancellation))
        {
            yield return row;
            if (++given == query.Limit)
            {
                break;
            }
        }
    }

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

    private SqlStatement Statement(LogQuestion question)
    {
        QuerySql sql = Sql().Where(question.Query, wholeLines: true);
        return question switch
        {
            CountQuestion => sql.Select("count(*)") with { IsWhole = true },
            TopQuestion top => sql.OrderBy("2 DESC, 1", groupBy: "1").Limit(top.Query.Limit).Select($"{new FieldSql(dialect, sql.Value).Text(top.Field)}, count(*)") with { IsWhole = true },
            HistogramQuestion histogram => ByTime(sql, histogram),
            _ => sql.InTimeOrder(question.Query.Descending, after: null).Limit(question.Query.Limit).Select(_decoder.Selected),
        };
    }

    private SqlStatement ByTime(QuerySql sql, HistogramQuestion histogram)
    {
        string bucket = dialect.Bucket(histogram.Width, sql.Value);
        return sql.OrderBy("1", groupBy: "1").Limit(histogram.Query.Limit).Select($"{bucket}, count(*)") with { IsWhole = true };
    }

    /// <summary>The rows that fulfil a condition, by offset; each part of a long line is one.</summary>
    internal IAsyncEnumerable<LogRow> ByOffsetAsync(QueryNode condition, bool descending, int limit, CancellationToken cancellation)
    {
        SqlStatement statement = Sql().Where(condition).OrderBy(descending ? "log_offset DESC" : "log_offset").Limit(limit).Select(_decoder.Selected) with { IsWhole = true };
        return ReadAsync(_ => statement, new LogQuery().Patience, cancellation);
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
