using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Alerts;

/// <summary>What a rule counted.</summary>
/// <param name="Rows">The rows of its query.</param>
/// <param name="Of">The rows that they are a share of; 0 where the rule counts rows alone.</param>
/// <param name="Rule">The rule.</param>
public readonly record struct AlertCount(AlertRule Rule, long Rows, long Of)
{
    /// <summary>What is compared with the limit. Of no rows nothing is a share.</summary>
    public double Value => !Rule.Above.IsShare ? Rows : Of == 0 ? 0 : (double)Rows / Of;

    public bool IsAbove => Value > Rule.Above.Value;

    /// <summary>For people: <c>1.8 % (12 of 667 rows) in 5m: status>=500; the limit is 1 %</c>.</summary>
    public override string ToString()
    {
        string found = Rule.Above.IsShare ? $"{Rule.Above.Show(Value)} ({Rows} of {Of} rows)" : $"{Rows} row{(Rows == 1 ? "" : "s")}";
        return $"{found} in {Duration(Rule.Window)}: {Rule.Query}; the limit is {Rule.Above}";
    }

    /// <summary>Has the database count the rows of the window that ends now.</summary>
    /// <exception cref="QueryException">The database cannot answer.</exception>
    public static async Task<AlertCount> TakeAsync(AlertRule rule, ILogReader reader, DateTimeOffset now, CancellationToken cancellation)
    {
        long rows = await CountAsync(rule.Query);
        return new AlertCount(rule, rows, rule.Above.IsShare ? await CountAsync(rule.Of) : 0);

        async Task<long> CountAsync(string query)
        {
            QueryNode? filter = QueryParser.Parse(query, reader.Fields, now);
            var question = new CountQuestion(new LogQuery { From = now - rule.Window, To = now, Filter = filter, Patience = rule.Window });
            await foreach (RowCount count in reader.CountAsync(question, cancellation))
            {
                return count.Rows;
            }
            return 0;
        }
    }

    /// <summary>A time as configurations write it: <c>5m</c>.</summary>
    public static string Duration(TimeSpan time) =>
        time.Ticks % TimeSpan.TicksPerHour == 0 ? $"{time.TotalHours:0}h" : time.Ticks % TimeSpan.TicksPerMinute == 0 ? $"{time.TotalMinutes:0}m" : $"{time.TotalSeconds:0}s";
}
