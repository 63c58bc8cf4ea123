using System.Globalization;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>Turns a query into SQL over the view's columns; every value becomes a parameter.</summary>
internal sealed class QuerySql(ISqlDialect dialect, TableName table, ILineParser parser)
{
    private readonly List<string> _conditions = [];
    private readonly List<object> _values = [];
    private string _end = "";

    // A role may be allowed to read the view alone. Numbers of rows are not in the view.
    private bool _readsTable = dialect.RowId is not null;

    /// <param name="query">Its time and its condition.</param>
    /// <param name="wholeLines">A long line's first part stands for all of them.</param>
    public QuerySql Where(LogQuery query, bool wholeLines)
    {
        InTime(query.From, query.To);
        if (wholeLines)
        {
            _conditions.Add("part <= 1");
        }
        return query.Filter is null ? this : Where(query.Filter, wholeLines);
    }

    public QuerySql Where(QueryNode condition, bool wholeLines = false)
    {
        _conditions.Add(new FilterSql(dialect, Value, wholeLines ? InLaterPart : null).Compile(condition));
        return this;
    }

    /// <summary>Rows from a time up to another, exclusive.</summary>
    public QuerySql InTime(DateTimeOffset? from, DateTimeOffset? to)
    {
        if (from is { } begin)
        {
            _conditions.Add($"time >= {Value(dialect.TimeParameter(begin))}");
        }
        if (to is { } end)
        {
            _conditions.Add($"time < {Value(dialect.TimeParameter(end))}");
        }
        return this;
    }

    /// <summary>The rows of one log from an offset up to another, exclusive; where rows are numbered, those after a number.</summary>
    public QuerySql InLog(int log, long from, long to, long? rowFloor)
    {
        _readsTable = true;
        _conditions.Add($"log_id = {Value(log)} AND log_offset >= {Value(from)} AND log_offset < {Value(to)}");
        if (rowFloor is { } floor)
        {
            _conditions.Add($"row_id > {Value(floor)}");
        }
        return this;
    }

    /// <summary>The rows that lie in a page of the table or behind it.</summary>
    public QuerySql FromPage(long page) => OnPages(">=", page);

    /// <summary>The rows that lie before a page of the table.</summary>
    public QuerySql BeforePage(long page) => OnPages("<", page);

    private QuerySql OnPages(string sign, long page)
    {
        _readsTable = true;
        _conditions.Add(string.Create(CultureInfo.InvariantCulture, $"row_place {sign} '({page},0)'::tid"));
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
            _conditions.Add($"time {(descending ? "<=" : ">=")} {time}");
            _conditions.Add($"({key}{rowId}) {(descending ? "<" : ">")} ({time}, {Value(after.Topic)}, {Value(after.Partition)}, {Value(after.LogOffset)}"
                + (dialect.RowId is null ? ")" : $", {Value(after.RowId)})"));
        }
        string direction = descending ? " DESC" : "";
        return OrderBy($"{key}{rowId}".Replace(",", $"{direction},", StringComparison.Ordinal) + direction);
    }

    public QuerySql OrderBy(string order, string? groupBy = null)
    {
        _end += $"{(groupBy is null ? "" : $"\nGROUP BY {groupBy}")}\nORDER BY {order}";
        return this;
    }

    /// <param name="limit">Rows at most; 0 = all.</param>
    public QuerySql Limit(int limit)
    {
        if (limit > 0)
        {
            _end += $"\nLIMIT {limit.ToString(CultureInfo.InvariantCulture)}";
        }
        return this;
    }

    public SqlStatement Select(string selected)
    {
        string row = dialect.RowId is { } id ? $"{id} AS row_id" : "r.ctid AS row_place";
        string from = _readsTable ? $"({RowColumns.ViewSelect(table, RowColumns.OfView(parser.Columns.Select(column => column.Name)), $"r.log AS log_id, {row}, ")})" : table.ToString();
        string where = _conditions.Count == 0 ? "" : $"\nWHERE {string.Join("\n  AND ", _conditions)}";
        return new SqlStatement($"SELECT {selected}\nFROM {from} AS v{where}{_end}", _values);
    }

    public string Value(object value)
    {
        _values.Add(value);
        return $"@p{_values.Count - 1}";
    }

    /// <summary>A text may stand in a later part of a long line, whose first part stands for all.</summary>
    private string InLaterPart(string test) => $"""
        part = 1 AND EXISTS (SELECT 1 FROM {table} p WHERE p.generation = v.generation AND p.file_offset = v.file_offset AND p.topic = v.topic
            AND p.part > 1 AND {test})
        """;
}
