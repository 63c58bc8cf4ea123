using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Query;

/// <summary>
/// Finds the lines of a file around one of them. All of a file's lines are in one partition, in their order, others of its agent between them: so they
/// are looked for near the line's offset, and farther from it as long as too few are found.
/// </summary>
internal sealed class Surroundings(SqlLogReader reader, QueryFields fields)
{
    private const int NearAtFirst = 1000; // offsets
    private const int NearWidening = 32;
    private const int NearMax = NearAtFirst * NearWidening * NearWidening;

    public async Task<List<LogRow>> ReadAsync(LogRow row, int before, int after, CancellationToken cancellation)
    {
        List<LogRow> earlier = await SideAsync(row, before, -1, cancellation);
        earlier.Reverse();
        return [.. earlier, row, .. await SideAsync(row, after, 1, cancellation)];
    }

    /// <summary>The nearest lines on one side, the nearest one first.</summary>
    private async Task<List<LogRow>> SideAsync(LogRow row, int count, int side, CancellationToken cancellation)
    {
        var found = new List<LogRow>();
        for (int near = NearAtFirst; found.Count < count && near <= NearMax; near *= NearWidening)
        {
            found.Clear();
            var condition = new AllOf(
            [
                Compared("topic", ComparisonSign.Equal, row.Topic),
                Compared("partition", ComparisonSign.Equal, (long)row.Partition),
                row.Generation is { } generation ? Compared("generation", ComparisonSign.Equal, generation) : new Opposite(new HasValue(fields.Find("generation")!)),
                Compared("log_offset", side < 0 ? ComparisonSign.Less : ComparisonSign.Greater, row.LogOffset),
                Compared("log_offset", side < 0 ? ComparisonSign.GreaterOrEqual : ComparisonSign.LessOrEqual, row.LogOffset + (side * (long)near)),
                Compared("part", ComparisonSign.LessOrEqual, 1L),
            ]);
            await foreach (LogRow one in reader.ByOffsetAsync(condition, descending: side < 0, count, cancellation))
            {
                found.Add(one);
            }
        }
        return found;
    }

    private Comparison Compared(string field, ComparisonSign sign, object value) => new(fields.Find(field)!, sign, value);
}
