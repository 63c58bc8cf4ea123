using System.Runtime.CompilerServices;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>Puts the lines of the same file around each row. A line that stands near two rows is printed once.</summary>
internal sealed class RowContext(ILogReader reader, int before, int after)
{
    private const int RememberedMax = 100_000;

    private readonly HashSet<(string, int, long)> _printed = [];

    public async IAsyncEnumerable<LogRow> Around(IAsyncEnumerable<LogRow> rows, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (LogRow row in rows.WithCancellation(stop))
        {
            if (_printed.Count > RememberedMax)
            {
                _printed.Clear();
            }
            foreach (LogRow one in await reader.AroundAsync(row, before, after, stop))
            {
                if (_printed.Add((one.Topic, one.Partition, one.LogOffset)))
                {
                    yield return one;
                }
            }
        }
    }
}
