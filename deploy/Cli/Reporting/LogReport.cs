using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Reporting;

/// <summary>What a report shows of a sink's rows.</summary>
/// <param name="Sink">Whose rows.</param>
/// <param name="Query">Which of them, as it was typed; empty = all.</param>
/// <param name="From">Rows at or after this time.</param>
/// <param name="To">Rows before this time.</param>
/// <param name="Made">When the database was asked.</param>
/// <param name="Unparsed">Those that the parser could not take apart; null where it takes none apart.</param>
/// <param name="Width">Of a bar of <paramref name="Traffic"/>.</param>
/// <param name="Traffic">Rows by time.</param>
/// <param name="Classes">Rows by time of each class of the status, where there is one: 2xx, 3xx, 4xx, 5xx.</param>
/// <param name="Tables">The most frequent values.</param>
internal sealed record LogReport(
    string Sink, string Query, DateTimeOffset From, DateTimeOffset To, DateTimeOffset Made, long? Unparsed, TimeSpan Width,
    TimeSeries Traffic, IReadOnlyList<TimeSeries> Classes, IReadOnlyList<ReportTable> Tables)
{
    /// <summary>How many rows there are.</summary>
    public long Rows => Traffic.Sum;
}

/// <summary>Rows by time.</summary>
internal sealed record TimeSeries(string Name, IReadOnlyList<RowCount> Counts)
{
    public long Sum => Counts.Sum(static count => count.Rows);
}

/// <summary>The most frequent values of a field.</summary>
/// <param name="Title">What is counted.</param>
/// <param name="Field">The field.</param>
/// <param name="Of">How many rows the shares are of.</param>
/// <param name="Counts">The values.</param>
internal sealed record ReportTable(string Title, string Field, long Of, IReadOnlyList<RowCount> Counts);
