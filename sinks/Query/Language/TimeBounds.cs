namespace LogPipeline.Sinks.Query.Language;

/// <summary>What a condition says of the time of all its rows.</summary>
/// <param name="From">None is before it; null = unknown.</param>
/// <param name="To">None is at it or after it; null = unknown.</param>
internal readonly record struct TimeBounds(DateTimeOffset? From, DateTimeOffset? To)
{
    private static readonly TimeSpan Microsecond = TimeSpan.FromMicroseconds(1); // the step of a database's time

    public static TimeBounds Of(LogQuery query)
    {
        var bounds = new TimeBounds(query.From, query.To);
        return query.Filter is null ? bounds : bounds.And(query.Filter);
    }

    private TimeBounds And(QueryNode node) => node switch
    {
        AllOf all => all.Nodes.Aggregate(this, static (bounds, one) => bounds.And(one)),
        Comparison { Field.Name: "time", Value: DateTimeOffset time } comparison => comparison.Sign switch
        {
            ComparisonSign.Less => Before(time),
            ComparisonSign.LessOrEqual => Before(time + Microsecond),
            ComparisonSign.Equal => Since(time).Before(time + Microsecond),
            _ => Since(time),
        },
        _ => this,
    };

    private TimeBounds Since(DateTimeOffset time) => this with { From = From is { } from && from > time ? from : time };

    private TimeBounds Before(DateTimeOffset time) => this with { To = To is { } to && to < time ? to : time };
}
