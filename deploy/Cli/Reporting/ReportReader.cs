using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Cli.Reporting;

/// <summary>Asks a sink's database for what a report shows. Which fields it counts depends on what the parser made.</summary>
internal sealed class ReportReader(ILogReader reader, LogQuery query, CancellationToken stop)
{
    private const int BarsMax = 96;
    private const int ValuesMax = 10;

    /// <summary>A request that takes longer is listed as slow.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan EndStep = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan[] Widths =
    [
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1),
        TimeSpan.FromHours(6), TimeSpan.FromDays(1), TimeSpan.FromDays(7), TimeSpan.FromDays(30),
    ];

    /// <summary>The fields whose values are counted, in the order in which they are shown; what is not there is left out.</summary>
    private static readonly (string Field, string Title)[] Counted =
    [
        ("path", "Paths"), ("remote_addr", "Clients"), ("status", "Status"), ("method", "Methods"), ("level", "Levels"), ("severity", "Severities"),
        ("http_user_agent", "User agents"), ("http_referer", "Referrers"), ("app_name", "Programs"), ("logger", "Loggers"), ("host", "Hosts"), ("file", "Files"),
    ];

    /// <summary>Fields that say how long a request took, and what a second is in them.</summary>
    private static readonly (string Field, double Second)[] Durations =
    [
        ("request_time", 1), ("upstream_response_time", 1), ("response_time", 1), ("duration", 1), ("elapsed", 1), ("latency", 1),
        ("time_taken", 1000), ("duration_ms", 1000), ("elapsed_ms", 1000), ("latency_ms", 1000), ("response_time_ms", 1000),
    ];

    /// <summary>How much time a bar of a report shows.</summary>
    public static TimeSpan WidthOf(TimeSpan all) => Array.Find(Widths, width => all / width <= BarsMax) is { Ticks: > 0 } found ? found : Widths[^1];

    /// <summary>Where a report up to now ends. Rows of the last seconds are still coming: counted one after the other, its figures would not agree.</summary>
    public static DateTimeOffset EndOf(DateTimeOffset from, DateTimeOffset now)
    {
        TimeSpan width = WidthOf(now - from);
        TimeSpan step = width < EndStep ? width : EndStep;
        return new DateTimeOffset(now.UtcTicks - (now.UtcTicks % step.Ticks), TimeSpan.Zero);
    }

    /// <param name="sink">Whose rows.</param>
    /// <param name="text">The query as it was typed.</param>
    /// <param name="from">The beginning of the report's time.</param>
    /// <param name="to">Its end.</param>
    public async Task<LogReport> ReadAsync(string sink, string text, DateTimeOffset from, DateTimeOffset to)
    {
        await reader.OpenAsync(stop);
        LogQuery all = query with { From = from, To = to };
        TimeSpan width = WidthOf(to - from);
        var traffic = new TimeSeries("lines", await ByTimeAsync(all, width));
        long? unparsed = reader.Columns.Count == 0 ? null : await CountAsync(With(all, Comparison("parsed", ComparisonSign.Equal, false)));
        return new LogReport(
            sink, text, from, to, DateTimeOffset.UtcNow, unparsed, width, traffic, await ClassesAsync(all, width), await TablesAsync(all, traffic.Sum));
    }

    private async Task<IReadOnlyList<TimeSeries>> ClassesAsync(LogQuery all, TimeSpan width)
    {
        List<TimeSeries> classes = [];
        if (reader.Fields.Find("status") is { Kind: FieldKind.Number })
        {
            for (long hundred = 2; hundred <= 5; hundred++)
            {
                LogQuery one = With(all, Comparison("status", ComparisonSign.GreaterOrEqual, hundred * 100), Comparison("status", ComparisonSign.Less, (hundred + 1) * 100));
                classes.Add(new TimeSeries($"{hundred}xx", await ByTimeAsync(one, width)));
            }
        }
        return classes;
    }

    private async Task<IReadOnlyList<ReportTable>> TablesAsync(LogQuery all, long rows)
    {
        List<ReportTable> tables = [];
        foreach ((string field, string title) in Counted)
        {
            await AddAsync(tables, title, field, all, rows);
        }
        if (reader.Fields.Find("status") is { Kind: FieldKind.Number })
        {
            LogQuery errors = With(all, Comparison("status", ComparisonSign.GreaterOrEqual, 500L));
            await AddAsync(tables, "Paths of server errors (5xx)", "path", errors, await CountAsync(errors));
            LogQuery missing = With(all, Comparison("status", ComparisonSign.Equal, 404L));
            await AddAsync(tables, "Paths that were not found (404)", "path", missing, await CountAsync(missing));
        }
        if (Array.Find(Durations, duration => reader.Fields.Find(duration.Field) is { Kind: FieldKind.Number }) is { Field: not null } taken)
        {
            LogQuery slow = With(all, Comparison(taken.Field, ComparisonSign.GreaterOrEqual, Slow.TotalSeconds * taken.Second));
            await AddAsync(tables, $"Paths of requests of {Slow.TotalSeconds:0} s or more ({taken.Field})", "path", slow, await CountAsync(slow));
        }
        return tables;
    }

    private async Task AddAsync(List<ReportTable> tables, string title, string field, LogQuery rows, long of)
    {
        if (of > 0 && reader.Fields.Find(field) is QueryField counted)
        {
            List<RowCount> counts = await reader.CountAsync(new TopQuestion(rows with { Limit = ValuesMax }, counted), stop).ToListAsync(stop);
            if (counts.Exists(static count => count.Of is not null))
            {
                tables.Add(new ReportTable(title, field, of, counts));
            }
        }
    }

    private async Task<long> CountAsync(LogQuery rows) => (await reader.CountAsync(new CountQuestion(rows), stop).FirstAsync(stop)).Rows;

    private async Task<IReadOnlyList<RowCount>> ByTimeAsync(LogQuery rows, TimeSpan width) =>
        await reader.CountAsync(new HistogramQuestion(rows with { Limit = 10_000 }, width), stop).ToListAsync(stop);

    private Comparison Comparison(string field, ComparisonSign sign, object value) => new(reader.Fields.Find(field)!, sign, value);

    private static LogQuery With(LogQuery rows, params QueryNode[] conditions) => rows with { Filter = new AllOf([.. rows.Filter is null ? [] : new[] { rows.Filter }, .. conditions]) };
}
