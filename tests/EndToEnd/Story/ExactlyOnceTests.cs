using LogPipeline.EndToEnd.Harness;
using Xunit.Abstractions;

namespace LogPipeline.EndToEnd.Story;

/// <summary>
/// The promise with real processes: every line a row once, whatever is killed. LOGPIPE_E2E_BROKER=kafka runs it against Apache
/// Kafka, LOGPIPE_E2E_SEED chooses the times of the kills.
/// </summary>
public class ExactlyOnceTests(ITestOutputHelper told)
{
    private static readonly bool OnKafka = Environment.GetEnvironmentVariable("LOGPIPE_E2E_BROKER") == "kafka";

    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("LOGPIPE_E2E_SEED"), out int seed) ? seed : 1;

    [RequiresPostgresFact]
    public Task Every_line_is_a_row_once_while_all_parts_are_killed()
        => TellAsync(new StorySize(Lines: 100_000, LinesPerSecond: 10_000, Renames: 3, KillsOfEach: 3, Seed, DrainTime: TimeSpan.FromMinutes(3)));

    [RequiresPostgresFact]
    [Trait("Category", "Slow")]
    public Task Every_line_of_a_million_is_a_row_once_while_broker_sink_and_database_are_killed_a_hundred_times_and_the_agent_too()
        => TellAsync(new StorySize(Lines: 1_000_000, LinesPerSecond: 10_000, Renames: 10, KillsOfEach: 34, Seed, DrainTime: TimeSpan.FromMinutes(10)));

    private async Task TellAsync(StorySize size)
    {
        await using KillStory story = await KillStory.BeginAsync(size, told, OnKafka);
        await story.RunAsync();
        Assert.Empty(await story.WrongNumbersAsync());
        await ProveAsync(story);
    }

    // The proof must pass, and must fail where it should: a row is deleted and one is repeated by hand.
    private async Task ProveAsync(KillStory story)
    {
        (int Status, string Output, string Errors) good = await story.VerifyAsync();
        told.WriteLine(good.Output);
        Assert.True(good.Status == 0, $"verify says {good.Status}: {good.Output}{good.Errors}");

        await story.ExecuteAsync("DELETE FROM web_log_rows WHERE line LIKE '%?n=77 %'");
        await story.ExecuteAsync("INSERT INTO web_log_rows SELECT * FROM web_log_rows WHERE line LIKE '%?n=99 %'");
        (int Status, string Output, string Errors) bad = await story.VerifyAsync();
        told.WriteLine(bad.Output);
        Assert.Equal(1, bad.Status);
        Assert.Contains("missing in the table: ", bad.Output, StringComparison.Ordinal);
        Assert.Contains("repeated in the table: ", bad.Output, StringComparison.Ordinal);
    }
}
