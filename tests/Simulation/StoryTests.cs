using System.Diagnostics;
using System.Globalization;

namespace LogPipeline.Simulation;

/// <summary>
/// Runs seeds: LOGPIPE_SEEDS of them (all that fit into a minute a cast when unset) from LOGPIPE_SEED_FROM on. What fails is
/// named with its seed and repeats with it.
/// </summary>
public sealed class StoryTests
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(Cast.BrokerAndSink)]
    [InlineData(Cast.Whole)]
    public void Every_seed_delivers_each_line_once(object cast)
    {
        ulong? wanted = Number("LOGPIPE_SEEDS");
        ulong from = Number("LOGPIPE_SEED_FROM") ?? 1;
        long started = Stopwatch.GetTimestamp();
        ulong done = 0;
        SeedResult? failed = SeedRun.Many(
            from, wanted ?? 2000, (Cast)cast, () => wanted is null && Stopwatch.GetElapsedTime(started) > Budget, _ => done++);
        if (failed is not null)
        {
            (SeedResult again, IReadOnlyList<string> trace) = SeedRun.Explain(failed.Seed, (Cast)cast);
            Assert.Fail($"seed {failed.Seed} ({cast}): {failed.Failure!.Rule}: {failed.Failure.What}\n"
                + $"repeated {(again.Hash == failed.Hash ? "exactly" : "NOT exactly")}; its last steps:\n{string.Join('\n', trace.TakeLast(60))}");
        }
        Assert.True(done > 0);
    }

    [Fact]
    public void A_seed_repeats_exactly()
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            SeedResult first = SeedRun.One(seed);
            SeedResult second = SeedRun.One(seed);
            Assert.Equal(first.Hash, second.Hash);
            Assert.Equal(first.Events, second.Events);
        }
    }

    private static ulong? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
