using System.Diagnostics;

namespace LogPipeline.EndToEnd.Harness;

/// <summary>Waiting for what another process does: asked again and again until it holds, with an end.</summary>
internal static class Deadline
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <exception cref="TimeoutException">It did not hold in time; <paramref name="otherwise"/> says what was seen last.</exception>
    public static async Task UntilAsync(TimeSpan within, Func<Task<bool>> holds, Func<string> otherwise)
    {
        var clock = Stopwatch.StartNew();
        using var ticks = new PeriodicTimer(Interval);
        while (!await holds())
        {
            if (clock.Elapsed > within)
            {
                throw new TimeoutException($"not within {within.TotalSeconds} s: {otherwise()}");
            }
            await ticks.WaitForNextTickAsync();
        }
    }
}
