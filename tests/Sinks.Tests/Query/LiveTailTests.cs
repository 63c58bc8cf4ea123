using LogPipeline.Client.Connections;
using LogPipeline.Contract;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>History from the database, then live from the broker: each line once, none left out.</summary>
[Collection("postgres")]
public sealed class LiveTailTests(PostgresFixture postgres)
{
    private static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(i => $"line {i}");

    private async Task<SinkOptions> OptionsAsync(SinkScene scene, bool sqlite) => sqlite ? scene.Sqlite() : scene.Postgres(await postgres.NewDatabaseAsync());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_tail_goes_from_stored_rows_to_records_without_gap_or_repeat_while_the_sink_goes_on(bool sqlite)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, sqlite);
        await scene.SendAsync(0, Lines(0, 100));
        await SinkScene.RunAsync(options, 100);
        await scene.SendAsync(0, Lines(100, 50)); // not stored when the tail begins
        await using var seen = new Following(options, last: 3);
        await seen.UntilAsync(53);
        await scene.SendAsync(0, Lines(150, 50));
        await seen.UntilAsync(103); // none of them waits for the sink
        await SinkScene.RunAsync(options, 200);
        await scene.SendAsync(0, ["the last"]);
        await seen.UntilAsync(104);
        Assert.Equal([.. Lines(97, 103), "the last"], seen.Lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Records_sent_again_are_shown_where_they_are_new_alone(bool sqlite)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, sqlite);
        await scene.SendAsync(0, "stored", 0, 7, PositionFlags.None);
        await SinkScene.RunAsync(options, 1);
        await using var seen = new Following(options, last: 1);
        await seen.UntilAsync(1);
        await scene.SendAsync(0, "stored", 0, 7, PositionFlags.Again); // a repeat of a row
        await scene.SendAsync(0, "live", 7, 12, PositionFlags.None);
        await scene.SendAsync(0, "live", 7, 12, PositionFlags.Again); // a repeat of a record that is no row yet
        await scene.SendAsync(0, "new", 12, 16, PositionFlags.Again);
        await scene.SendFenceAsync(0);
        await seen.UntilAsync(3);
        await SinkScene.RunAsync(options, 3);
        await scene.SendAsync(0, "new", 12, 16, PositionFlags.Again); // a repeat, wherever the sink is
        await scene.SendAsync(0, "end", 16, 20, PositionFlags.None);
        await seen.UntilAsync(4);
        Assert.Equal(["stored", "live", "new", "end"], seen.Lines);
    }

    [Fact]
    public async Task A_record_that_the_sink_has_come_past_is_a_repeat_where_it_is_no_row()
    {
        SinkOptions options = StoredRows.Postgres(await postgres.NewDatabaseAsync());
        await StoredRows.StoreAsync(options, ["one", "two"]);
        await PostgresFixture.RowsAsync(options.Postgres!.Connection, "UPDATE logpipe_logs SET next_offset = 3"); // offset 2 was left out
        await using var dialect = new PostgresDialect(options.Postgres, TimeProvider.System);
        var again = new SentAgain(dialect, options.Name, TableName.Parse("web_log"));
        using RowBatch rows = TestRows.Batch(1, "two", "two");
        foreach (ref Row row in rows.Rows)
        {
            row.Flags = PositionFlags.Again;
        }
        int log = (int)(await PostgresFixture.RowsAsync(options.Postgres.Connection, "SELECT id FROM logpipe_logs"))[0][0]!;
        Assert.False(await again.IsRepeatAsync(log, rows, rows.Rows[0], default));
        Assert.True(await again.IsRepeatAsync(log, rows, rows.Rows[1], default));
    }

    [Fact]
    public async Task Rows_of_the_broker_are_those_of_the_database()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite();
        await scene.SendAsync(0, [TestRows.Combined, "nul \0 and no access line"]);
        await scene.SendAsync(1, "first ", 0, 6, PositionFlags.Cut, part: 1, lineBegin: 0);
        List<LogRow> live;
        await using (var seen = new Following(options, last: 0, prepared: true))
        {
            await seen.UntilAsync(3);
            live = seen.Rows;
        }
        await SinkScene.RunAsync(options, 3);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        var stored = new List<LogRow>();
        await foreach (LogRow row in reader.QueryAsync(new LogQuery { Limit = 0 }, default))
        {
            stored.Add(row);
        }
        static string Shown(LogRow row) => string.Join('|', new QueryFields(LogPipeline.Sinks.Parsing.LineParsers.Named("combined").Columns).Names
            .Select(name => new QueryFields(LogPipeline.Sinks.Parsing.LineParsers.Named("combined").Columns).Find(name)!.Of(row))) + Convert.ToHexString(row.Raw ?? []);
        Assert.Equal(stored.Select(Shown).Order(), live.Select(Shown).Order());
    }

    /// <summary>Collects what a tail gives, in the background.</summary>
    private sealed class Following : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly ILogReader _reader;
        private readonly Task _work;
        private readonly List<LogRow> _rows = [];
        private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <param name="options">The sink.</param>
        /// <param name="last">Stored rows to begin with.</param>
        /// <param name="prepared">Makes the tables first: the sink has not run.</param>
        public Following(SinkOptions options, int last, bool prepared = false)
        {
            _reader = SinkStores.CreateReader(options, TimeProvider.System);
            _work = Task.Run(async () =>
            {
                if (prepared)
                {
                    await using ISinkStore store = SinkStores.Create(options, new LogPipeline.Files.OsFileSystem(), TimeProvider.System, new Random(1));
                    await store.OpenAsync(default);
                }
                await foreach (LogRow row in _reader.LiveAsync(new LogQuery(), last, new TcpConnector(), new Random(1), _stop.Token))
                {
                    lock (_rows)
                    {
                        _rows.Add(row);
                        _more.TrySetResult();
                    }
                }
            });
        }

        public List<LogRow> Rows
        {
            get
            {
                lock (_rows)
                {
                    return [.. _rows];
                }
            }
        }

        public IEnumerable<string> Lines => Rows.Select(row => row.Line!);

        public async Task UntilAsync(int count)
        {
            while (true)
            {
                Task more;
                lock (_rows)
                {
                    if (_rows.Count >= count)
                    {
                        return;
                    }
                    _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    more = _more.Task;
                }
                Task first = await Task.WhenAny(more, _work).WaitAsync(TimeSpan.FromSeconds(60));
                await first;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _work);
            await _reader.DisposeAsync();
            _stop.Dispose();
        }
    }
}
