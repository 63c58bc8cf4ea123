using System.Diagnostics;
using System.Globalization;

namespace LogPipeline.Benchmarks.Whole;

/// <summary><c>./test bench pipeline [LINES [PARSER]]</c>: how fast a backlog of lines becomes rows, and what each part costs.</summary>
internal static class Backlog
{
    public static async Task RunAsync(int lines, string parser, TextWriter to)
    {
        await using Pipeline pipeline = await Pipeline.CreateAsync(parser);
        WebLog.Write(pipeline.AccessLog, 0, lines);
        await pipeline.StartAsync("broker");
        await pipeline.StartAsync("sink");
        var clock = Stopwatch.StartNew();
        await pipeline.StartAsync("agent");
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await pipeline.StoredAsync() < lines)
        {
            await ticks.WaitForNextTickAsync();
        }
        double seconds = clock.Elapsed.TotalSeconds;
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{lines} lines to rows by parser {parser} in {seconds:F1} s: {lines / seconds:F0} lines/s (PostgreSQL with fsync, on the same cores)"));
        to.WriteLine("part     CPU s per million   peak MB");
        foreach ((string? name, double cpu, long peak) in pipeline.Costs())
        {
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-8} {cpu * 1e6 / lines,17:F2} {peak / 1e6,9:F0}"));
        }
    }
}
