using System.Globalization;
using System.Text;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>Turns a query into SQL over the view's columns; every value becomes a parameter.</summary>
internal sealed class QuerySql(ISqlDialect dialect, string table, ILineParser parser, string selected)
{
    private readonly StringBuilder _where = new();
    private readonly List<object> _values = [];
    private string _end = "";

    // A role may be allowed to read the view alone. Numbers of rows are not in the view.
    private bool _readsTable = dialect.RowId is not null;

    private static readonly Column[] ViewColumns =
    [
        new("topic", ColumnKind.Text), new("partition", ColumnKind.Integer), new("log_offset", ColumnKind.BigInteger), new("time", ColumnKind.Time),
        new("host", ColumnKind.Text), new("file", ColumnKind.Text), new("generation", ColumnKind.Text), new("file_offset", ColumnKind.BigInteger),
        new("part", ColumnKind.Integer), new("line", ColumnKind.Text),
    ];

    public QuerySql Where(LogQuery query, bool wholeLines)
    {
        if (query.From is { } from)
        {
            And($"time >= {Value(dialect.TimeParameter(from))}");
        }
        if (query.To is { } to)
        {
            And($"time < {Value(dialect.TimeParameter(to))}");
        }
        if (wholeLines)
        {
            And("part <= 1");
        }
        foreach (string text in query.Contains)
        {
            And(ContainsText(text, wholeLines));
        }
        foreach (ColumnComparison comparison in query.Where)
        {
            And(Compare(comparison));
        }
        return this;
    }

    /// <summary>The rows of one log from an offset up to another, exclusive; where rows are numbered, those after a number.</summary>
    public QuerySql InLog(int log, long from, long to, long? rowFloor)
    {
        _readsTable = true;
        And($"log_id = {Value(log)} AND log_offset >= {Value(from)} AND log_offset < {Value(to)}");
        if (rowFloor is { } floor)
        {
            And($"row_id > {Value(floor)}");
        }
        return this;
    }

    /// <summary>In the order of time; with a row, what comes after it.</summary>
    public QuerySql InTimeOrder(bool descending, LogRow? after)
    {
        const string key = "time, topic, partition, log_offset";
        string rowId = dialect.RowId is null ? "" : ", row_id";
        if (after is not null)
        {
            string time = Value(dialect.TimeParameter(after.Time));
            // The first condition says again what the second one says, in the form that an index is used for.
            And($"time {(descending ? "<=" : ">=")} {time}");
            And($"({key}{rowId}) {(descending ? "<" : ">")} ({time}, {Value(after.Topic)}, {Value(after.Partition)}, {Value(after.LogOffset)}"
                + (dialect.RowId is null ? ")" : $", {Value(after.RowId)})"));
        }
        string direction = descending ? " DESC" : "";
        return OrderBy($"{key}{rowId}".Replace(",", $"{direction},", StringComparison.Ordinal) + direction);
    }

    public QuerySql OrderBy(string order)
    {
        _end = $" ORDER BY {order}";
        return this;
    }

    /// <param name="limit">Rows at most; 0 = all.</param>
    public QuerySql Limit(int limit)
    {
        if (limit > 0)
        {
            _end += $" LIMIT {limit.ToString(CultureInfo.InvariantCulture)}";
        }
        return this;
    }

    public SqlStatement Build()
    {
        string row = dialect.RowId is { } id ? $", {id} AS row_id" : "";
        string from = _readsTable
            ? $"({RowColumns.ViewSelect(table, parser).Replace("SELECT ", $"SELECT r.log AS log_id{row}, ", StringComparison.Ordinal)})" : table;
        return new SqlStatement($"SELECT {selected} FROM {from} AS v WHERE 1 = 1{_where}{_end}", _values);
    }

    /// <summary>A text may stand in a later part of a long line, whose first part stands for all.</summary>
    private string ContainsText(string text, bool wholeLines)
    {
        string value = Value(text);
        string here = $"{dialect.Position("line", value)} > 0";
        return !wholeLines ? here : $"""
            ({here} OR part = 1 AND EXISTS (SELECT 1 FROM {table} p WHERE p.generation = v.generation AND p.file_offset = v.file_offset AND p.topic = v.topic
                AND p.part > 1 AND {dialect.Position("p.line", value)} > 0))
            """;
    }

    private string Compare(ColumnComparison comparison)
    {
        Column column = ViewColumns.Concat(parser.Columns).Cast<Column?>().FirstOrDefault(c => c!.Value.Name == comparison.Column)
            ?? throw new QueryException(
                $"there is no column {comparison.Column}; there are {string.Join(", ", ViewColumns.Concat(parser.Columns).Select(c => c.Name))}");
        if (comparison.Comparison is Comparison.Contains or Comparison.NotContains)
        {
            string position = $"coalesce({dialect.Position($"CAST({column.Name} AS text)", Value(comparison.Value))}, 0)";
            return comparison.Comparison == Comparison.Contains ? $"{position} > 0" : $"{position} = 0";
        }
        string sign = comparison.Comparison switch
        {
            Comparison.Equal => "=",
            Comparison.NotEqual => dialect.IsNot,
            Comparison.Less => "<",
            Comparison.LessOrEqual => "<=",
            Comparison.Greater => ">",
            _ => ">=",
        };
        return $"{column.Name} {sign} {Value(Typed(column, comparison.Value))}";
    }

    private object Typed(Column column, string text) => column.Kind switch
    {
        ColumnKind.Text => text,
        ColumnKind.Time => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? dialect.TimeParameter(time) : throw new QueryException($"{column.Name} is a time; `{text}` is none: write 2026-11-21T13:00:00Z"),
        _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number : throw new QueryException($"{column.Name} is a number; `{text}` is none"),
    };

    private void And(string condition) => _where.Append(" AND (").Append(condition).Append(')');

    private string Value(object value)
    {
        _values.Add(value);
        return $"@p{_values.Count - 1}";
    }
}
