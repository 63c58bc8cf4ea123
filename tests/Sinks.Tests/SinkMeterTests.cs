using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LogPipeline.Contract;

namespace LogPipeline.Sinks.Tests;

public sealed class SinkMeterTests
{
    [Fact]
    public async Task Figures_count_what_their_descriptions_say()
    {
        var counts = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "LogPipeline.Sinks")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (tags.ToArray().Any(tag => tag.Value is "counted"))
            {
                counts.AddOrUpdate(instrument.Name["logpipe_sinks_".Length..], value, (_, sum) => sum + value);
            }
        });
        listener.Start();

        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Name = "counted", Parser = "none" };
        await SinkScene.RunAsync(options, 0);
        await SinkScene.ScalarAsync(options, """
            CREATE TRIGGER refuse BEFORE INSERT ON web_log_rows WHEN NEW.line LIKE 'poison%' BEGIN SELECT RAISE(ABORT, 'poison'); END
            """);
        await scene.SendAsync(0, "line 1", 0, 7, PositionFlags.None);
        await scene.SendAsync(0, "poison", 7, 14, PositionFlags.None);
        await scene.SendAsync(0, "line 1", 0, 7, PositionFlags.Again);
        await scene.SendAsync(0, "line 1", 0, 7, PositionFlags.None);
        await scene.SendAsync(0, "line 1", 0, 7, PositionFlags.None);
        await SinkScene.RunAsync(options, 3);

        Assert.Equal(3, counts["rows_total"]);
        Assert.Equal(18, counts["bytes_total"]);
        Assert.Equal(2, counts["overlaps_total"]);
        Assert.Equal(1, counts["known_total"]);
        Assert.Equal(1, counts["dead_letters_total"]);
    }
}
