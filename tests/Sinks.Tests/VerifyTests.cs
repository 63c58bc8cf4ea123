using LogPipeline.Client.Positions;

namespace LogPipeline.Sinks.Tests;

/// <summary>What verify says of records that are in no row for a good reason.</summary>
public sealed class VerifyTests
{
    [Theory]
    [InlineData(PositionFlags.None)]
    [InlineData(PositionFlags.Again)]
    public async Task A_dead_letter_is_not_missing_even_when_it_is_sent_again(PositionFlags flags)
    {
        await using var scene = await SinkScene.StartAsync();
        var options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, "good 1", 0, 7, PositionFlags.None);
        await SinkScene.RunAsync(options, 1);
        await SinkScene.ScalarAsync(options, """
            CREATE TRIGGER refuse BEFORE INSERT ON web_log_rows WHEN NEW.line LIKE 'poison%' BEGIN SELECT RAISE(ABORT, 'poison'); END
            """);
        await scene.SendAsync(0, "poison", 7, 14, flags);
        await scene.SendAsync(0, "poison", 7, 14, PositionFlags.Again);
        await scene.SendAsync(0, "good 2", 14, 21, PositionFlags.None);
        await SinkScene.RunAsync(options, 2);
        Assert.Equal(1L, await SinkScene.ScalarAsync(options, "SELECT count(*) FROM logpipe_dead_letters"));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
    }
}
