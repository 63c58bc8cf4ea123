using System.Diagnostics;
using System.Globalization;

namespace LogPipeline.Benchmarks.Whole;

/// <summary>
/// <c>./test bench latency [SECONDS]</c>: from the write of a line to its row, at 1,000 lines a second. The first seconds after all
/// parts said that they are ready, in which their code is still compiled, are told apart from the rest.
/// </summary>
internal static class WriteToRow
{
    private const int LinesPerTick = 10;
    private const int LinesAtStart = 5_000;

    /// <summary>So often what the rows are counted by is asked before the first line: its own compilation is not the pipeline's.</summary>
    private const int WarmUps = 200;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(1);

    public static async Task RunAsync(int seconds, TextWriter to)
    {
        await using Pipeline pipeline = await Pipeline.CreateAsync();
        WebLog.Write(pipeline.AccessLog, 0, LinesPerTick);
        foreach (string? verb in new[] { "broker", "agent", "sink" })
        {
            await pipeline.StartAsync(verb);
        }
        for (int i = 0; i < WarmUps; i++)
        {
            await pipeline.StoredAsync();
        }
        long[] written = new long[LinesPerTick + LinesAtStart + (seconds * 1000)];
        var milliseconds = new List<double>(written.Length);
        Task writing = WriteAsync(pipeline.AccessLog, written);
        using var ticks = new PeriodicTimer(Poll);
        for (long seen = 0L; seen < written.Length;)
        {
            await ticks.WaitForNextTickAsync();
            long stored = await pipeline.StoredAsync();
            long now = Stopwatch.GetTimestamp();
            for (; seen < stored; seen++)
            {
                if (Volatile.Read(ref written[seen]) is > 0 and var at)
                {
                    milliseconds.Add(Stopwatch.GetElapsedTime(at, now).TotalMilliseconds);
                }
            }
        }
        await writing;
        to.WriteLine("write to row at 1,000 lines/s");
        Tell(to, "the first 5 s", milliseconds[..LinesAtStart]);
        Tell(to, string.Create(CultureInfo.InvariantCulture, $"then {seconds} s"), milliseconds[LinesAtStart..]);
    }

    private static void Tell(TextWriter to, string when, List<double> milliseconds)
    {
        milliseconds.Sort();
        to.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{when,-14} p50 {At(milliseconds, 0.5),5:F0} ms   p99 {At(milliseconds, 0.99),5:F0} ms   max {milliseconds[^1],5:F0} ms"));
    }

    private static async Task WriteAsync(string path, long[] written)
    {
        using var ticks = new PeriodicTimer(Tick);
        for (int k = LinesPerTick; k < written.Length; k += LinesPerTick)
        {
            await ticks.WaitForNextTickAsync();
            for (int i = k; i < k + LinesPerTick; i++)
            {
                Volatile.Write(ref written[i], Stopwatch.GetTimestamp());
            }
            WebLog.Write(path, k, LinesPerTick);
        }
    }

    private static double At(List<double> sorted, double part) => sorted[(int)(part * (sorted.Count - 1))];
}
