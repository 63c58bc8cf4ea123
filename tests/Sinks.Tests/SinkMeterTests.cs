using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LogPipeline.Contract;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Telemetry;
using Microsoft.Data.Sqlite;

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

    [Fact]
    public async Task Lag_is_what_is_in_the_topic_and_not_stored_while_the_database_takes_nothing()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Name = "lagging", Parser = "none" };
        using var lag = new ObservedLag();
        SinkWorker? worker = null;
        using var meter = new LagMeter("lagging", () => worker?.Lags ?? [], TimeProvider.System);
        await SinkScene.RunAsync(options, 0);
        await SinkScene.RunAsync(options, 3, async () =>
        {
            await scene.SendAsync(0, ["line 1"]);
            await lag.UntilAsync(static records => records == 0, isBehind: false); // so the partition is claimed
            await using (var other = new SqliteConnection($"Data Source={options.Sqlite!.File}"))
            {
                await other.OpenAsync();
                await using System.Data.Common.DbTransaction held = await other.BeginTransactionAsync(System.Data.IsolationLevel.Serializable);
                await scene.SendAsync(0, ["line 2", "line 3"]);
                await lag.UntilAsync(static records => records >= 2, isBehind: true);
            }
            await lag.UntilAsync(static records => records == 0, isBehind: false);
        }, starting: started => worker = started);
    }

    [Fact]
    public async Task Lag_grows_while_a_person_has_paused_the_sink()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Name = "lagging", Parser = "none" };
        using var lag = new ObservedLag();
        await using RunningSink running = await RunningSink.StartAsync(options);
        await using var commands = new CommandTable(options, TimeProvider.System);
        await scene.SendAsync(0, ["line 1"]);
        // Until the record is seen, the lag says that all is stored.
        using var stored = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await SinkScene.CountAsync(options) == 0)
        {
            await Task.Delay(20, stored.Token);
        }
        await lag.UntilAsync(static records => records == 0, isBehind: false);
        await DoneAsync(SinkAction.Pause);
        await scene.SendAsync(0, ["line 2", "line 3"]);
        await lag.UntilAsync(static records => records == 2, isBehind: true);
        Assert.Equal(1, await SinkScene.CountAsync(options));
        await DoneAsync(SinkAction.Resume);
        await lag.UntilAsync(static records => records == 0, isBehind: false);
        Assert.Equal(3, await SinkScene.CountAsync(options));

        async Task DoneAsync(SinkAction action)
        {
            SinkCommand command = await commands.AddAsync(action, null, null, "alice", default);
            using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while ((await commands.FindAsync(command.Id, late.Token))!.Outcome is null)
            {
                await Task.Delay(20, late.Token);
            }
        }
    }

    /// <summary>What the gauges of the sink <c>lagging</c> say of partition 0 when they are asked.</summary>
    private sealed class ObservedLag : IDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        private readonly MeterListener _listener = new();
        private long? _records;
        private double? _seconds;

        public ObservedLag()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("logpipe_sinks_lag_", StringComparison.Ordinal))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => _records = IsOurs(tags) ? value : _records);
            _listener.SetMeasurementEventCallback<double>((_, value, tags, _) => _seconds = IsOurs(tags) ? value : _seconds);
            _listener.Start();
        }

        public async Task UntilAsync(Predicate<long?> holds, bool isBehind)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!holds(_records) || isBehind != _seconds > 0)
            {
                Assert.False(patience.IsCancellationRequested, $"{_records} records, {_seconds} s");
                await Task.Delay(20);
                (_records, _seconds) = (null, null);
                _listener.RecordObservableInstruments();
            }
        }

        public void Dispose() => _listener.Dispose();

        private static bool IsOurs(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.ToArray() is var all && all.Any(tag => tag.Value is "lagging") && all.Any(tag => tag.Value is 0);
    }
}
