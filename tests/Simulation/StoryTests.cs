using System.Diagnostics;
using System.Globalization;

namespace LogPipeline.Simulation;

/// <summary>
/// Runs seeds: LOGPIPE_SEEDS of them from LOGPIPE_SEED_FROM on. When unset: of each cast the first thousands, as far as three
/// minutes allow. What fails is named with its seed and repeats with it.
/// </summary>
public sealed class StoryTests
{
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(Cast.BrokerAndSink, 2000)]
    [InlineData(Cast.Whole, 3000)]
    public void Every_seed_delivers_each_line_once(object cast, ulong count)
    {
        ulong? wanted = Number("LOGPIPE_SEEDS");
        ulong from = Number("LOGPIPE_SEED_FROM") ?? 1;
        long started = Stopwatch.GetTimestamp();
        ulong done = 0;
        SeedResult? failed = SeedRun.Many(
            from, wanted ?? count, (Cast)cast, () => wanted is null && Stopwatch.GetElapsedTime(started) > Budget, _ => done++);
        if (failed is not null)
        {
            (SeedResult again, IReadOnlyList<string> trace) = SeedRun.Explain(failed.Seed, (Cast)cast);
            Assert.Fail($"seed {failed.Seed} ({cast}): {failed.Failure!.Rule}: {failed.Failure.What}\n"
                + $"repeated {(again.Hash == failed.Hash ? "exactly" : "NOT exactly")}; its last steps:\n{string.Join('\n', trace.TakeLast(60))}");
        }
        Assert.True(done > 0);
    }

    [Fact]
    public void A_lost_tail_is_sent_again()
    {
        ulong? wanted = Number("LOGPIPE_SEEDS");
        long started = Stopwatch.GetTimestamp();
        int lost = 0;
        List<string> failed = [];
        SeedRun.Many(
            Number("LOGPIPE_SEED_FROM") ?? 1,
            wanted ?? 200,
            Cast.Whole,
            () => wanted is null && Stopwatch.GetElapsedTime(started) > Budget,
            result =>
            {
                lost += result.TailLost ? 1 : 0;
                if (result.Failure is { } failure)
                {
                    failed.Add($"seed {result.Seed}: {failure.Rule}: {failure.What}");
                }
            },
            static story => (story.Plan.TailLost, story.Plan.PowerLoss) = (true, 0.3),
            goOn: wanted is not null);
        Assert.True(failed.Count == 0, string.Join('\n', failed));
        Assert.True(lost > 0, "no acked record was ever lost");
    }

    [Theory]
    [InlineData(Cast.BrokerAndSink)]
    [InlineData(Cast.Whole)]
    public void What_retention_removes_is_gone_for_good_and_nothing_else_is(object cast)
    {
        ulong? wanted = Number("LOGPIPE_SEEDS");
        long started = Stopwatch.GetTimestamp();
        int removed = 0;
        List<string> failed = [];
        SeedRun.Many(
            Number("LOGPIPE_SEED_FROM") ?? 1,
            wanted ?? 200,
            (Cast)cast,
            () => wanted is null && Stopwatch.GetElapsedTime(started) > Budget,
            result =>
            {
                removed += result.Removed ? 1 : 0;
                if (result.Failure is { } failure)
                {
                    failed.Add($"seed {result.Seed}: {failure.Rule}: {failure.What}");
                }
            },
            Weather.Retention,
            goOn: wanted is not null);
        Assert.True(failed.Count == 0, string.Join('\n', failed));
        Assert.True(removed > 50, $"records were removed in {removed} histories only");
    }

    [Fact]
    public void A_line_is_a_row_or_a_dead_letter_whatever_people_do_to_the_table()
    {
        ulong? wanted = Number("LOGPIPE_SEEDS");
        ulong from = Number("LOGPIPE_SEED_FROM") ?? 1;
        long retried = 0;
        for (ulong seed = from; seed < from + (wanted ?? 150); seed++)
        {
            Story? story = null;
            SeedResult result = SeedRun.One(seed, Cast.BrokerAndSink, told =>
            {
                Weather.Tables(told);
                story = told;
            });
            Assert.True(result.Failure is null, $"seed {seed}: {result.Failure?.Rule}: {result.Failure?.What}");
            retried += story!.Retry!.Stored;
        }
        Assert.True(retried > 100, $"{retried} dead letters became rows");
    }

    [Fact]
    public void Files_hold_each_line_once() => Deliver(Weather.Files);

    [Fact]
    public void Files_that_are_compressed_are_delivered_once() => Deliver(Weather.Archives);

    [Fact]
    public void Files_that_no_pattern_takes_once_they_are_rotated_are_delivered_once() => Deliver(Weather.CurrentNames);

    [Fact]
    public void What_an_agent_takes_that_is_in_no_file_is_delivered_once() => Deliver(Weather.Sources);

    [Fact]
    public void Lines_that_somebody_has_sent_again_are_delivered_once()
    {
        int sent = 0;
        for (ulong seed = 4; seed < 150; seed += 5)
        {
            Story? story = null;
            SeedResult result = SeedRun.One(seed, plant: told => story = told);
            Assert.True(result.Failure is null, $"seed {seed}: {result.Failure?.Rule}: {result.Failure?.What}");
            sent += story!.Resends.Sum(static resend => resend.Sent);
        }
        Assert.True(sent > 20, $"lines were sent again {sent} times only");
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

    private static void Deliver(Action<Story> weather)
    {
        ulong? wanted = Number("LOGPIPE_SEEDS");
        long started = Stopwatch.GetTimestamp();
        List<string> failed = [];
        SeedRun.Many(
            Number("LOGPIPE_SEED_FROM") ?? 1,
            wanted ?? 150,
            Cast.Whole,
            () => wanted is null && Stopwatch.GetElapsedTime(started) > Budget,
            result =>
            {
                if (result.Failure is { } failure)
                {
                    failed.Add($"seed {result.Seed}: {failure.Rule}: {failure.What}");
                }
            },
            weather,
            goOn: wanted is not null);
        Assert.True(failed.Count == 0, string.Join('\n', failed));
    }

    private static ulong? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
