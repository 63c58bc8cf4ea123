using System.Diagnostics;
using System.Net;
using System.Text;
using System.Threading.Channels;
using LogPipeline.Client.Connections;
using LogPipeline.Sinks.Alerts;
using LogPipeline.Sinks.Bus;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Tests.Query;
using LogPipeline.Testing.Network;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Sinks.Tests;

/// <summary>Rules on stored rows, and who is told.</summary>
[Collection("postgres")]
public sealed class AlertTests(PostgresFixture postgres) : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-alert-").FullName;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The clock that rules go by; its timers run in real time.</summary>
    private sealed class SetTime(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private static readonly AlertRule Errors = new()
    {
        Name = "errors", Sink = "web", Query = "status>=500", Above = new AlertLimit(0.25, IsShare: true), Every = TimeSpan.FromSeconds(1),
    };

    private static Task<string?> AllStored(DateTimeOffset begin, CancellationToken cancellation) => Task.FromResult<string?>(null);

    private static string Line(int minute, int status) => StoredRows.Line(At(minute).AddSeconds(-1), "/a", status);

    private static DateTimeOffset At(int minute) => new(2026, 11, 21, 8, minute, 1, TimeSpan.Zero);

    /// <summary>Events in their order; each can be waited for.</summary>
    private sealed class Told : ISinkEvents, ILogger
    {
        private readonly Channel<object> _all = Channel.CreateUnbounded<object>();

        public async Task<object> NextAsync() => await _all.Reader.ReadAsync().AsTask().WaitAsync(Within);

        public void Publish(SinkEvent sinkEvent) => _all.Writer.TryWrite(sinkEvent);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _all.Writer.TryWrite(formatter(state, exception));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_rule_tells_when_it_is_above_its_limit_and_when_it_is_over(string database)
    {
        SinkOptions options = database == "sqlite" ? StoredRows.Sqlite(_directory) : StoredRows.Postgres(await postgres.NewDatabaseAsync());
        await StoredRows.StoreAsync(options, [Line(0, 500), Line(0, 200), Line(0, 200), Line(0, 200), Line(10, 500), Line(10, 200)]);
        var told = new Told();
        var time = new SetTime(At(0));
        await using ILogReader reader = SinkStores.CreateReader(options, time);
        var watch = new AlertWatch(Errors, cancellation => SinkStores.OpenReaderAsync(options, time, cancellation), AllStored, told, time, told);
        using var stop = new CancellationTokenSource();

        // One in four is the limit, and not above it.
        Assert.False((await AlertCount.TakeAsync(Errors, reader, At(0), default)).IsAbove);
        time.Now = At(10);
        Task running = watch.RunAsync(stop.Token);
        Assert.Equal(new AlertRaised("web", At(10), "errors", "50 % (1 of 2 rows) in 5m: status>=500; the limit is 25 %"), await told.NextAsync());
        time.Now = At(50);
        Assert.Equal(new AlertOver("web", At(50), "errors", "0 % (0 of 0 rows) in 5m: status>=500; the limit is 25 %"), await told.NextAsync());
        await stop.CancelAsync();
        await running;

        Assert.Null(watch.Problem);
    }

    [Fact]
    public async Task A_share_may_be_of_some_rows_and_a_limit_a_number()
    {
        SinkOptions options = StoredRows.Sqlite(_directory);
        await StoredRows.StoreAsync(options, [Line(0, 500), Line(0, 404), Line(0, 404), Line(0, 200)]);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        AlertCount ofFaults = await AlertCount.TakeAsync(Errors with { Of = "status>=400" }, reader, At(0), default);
        Assert.Equal((1, 3, true), (ofFaults.Rows, ofFaults.Of, ofFaults.IsAbove));
        AlertCount number = await AlertCount.TakeAsync(Errors with { Query = "status:404", Above = new AlertLimit(2, IsShare: false) }, reader, At(0), default);
        Assert.Equal((2.0, false), (number.Value, number.IsAbove));
    }

    [Fact]
    public async Task While_the_sink_is_behind_the_window_an_alert_is_unknown()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite();
        AlertRule rule = Errors with { Sink = options.Name, Query = "parsed:false", Above = new AlertLimit(1, IsShare: false) };
        await scene.SendAsync(0, ["one", "two"]);
        await SinkScene.RunAsync(options, 2);
        await scene.SendAsync(0, ["three"]);
        var told = new Told();
        var time = new SetTime(TimeProvider.System.GetUtcNow());
        await using var delay = new SinkDelay(options, new TcpConnector(), TimeProvider.System, new Random());
        var watch = new AlertWatch(rule, cancellation => SinkStores.OpenReaderAsync(options, time, cancellation), delay.FindAsync, told, time, told);
        using var stop = new CancellationTokenSource();
        Task running = watch.RunAsync(stop.Token);
        Assert.IsType<AlertRaised>(await told.NextAsync());
        time.Now += TimeSpan.FromHours(1);
        AlertUnknown unknown = Assert.IsType<AlertUnknown>(await told.NextAsync());
        Assert.Equal("sink web_log is behind: 1 record from before the window is not stored yet", unknown.Reason);
        await SinkScene.RunAsync(options, 3);
        Assert.IsType<AlertOver>(await told.NextAsync());
        await stop.CancelAsync();
        await running;
        Assert.Null(watch.Problem);
    }

    [Fact]
    public async Task A_database_that_cannot_be_asked_is_a_problem_and_no_alert()
    {
        var told = new Told();
        var watch = new AlertWatch(Errors, cancellation => SinkStores.OpenReaderAsync(StoredRows.Sqlite(_directory), TimeProvider.System, cancellation), AllStored, told, TimeProvider.System, told);
        using var stop = new CancellationTokenSource();
        Task running = watch.RunAsync(stop.Token);
        Assert.StartsWith("alert errors: the rows cannot be counted: ", Assert.IsType<string>(await told.NextAsync()), StringComparison.Ordinal);
        await stop.CancelAsync();
        await running;
        Assert.StartsWith("its rows cannot be counted: ", watch.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_goes_by_the_parser_that_the_table_has_got_meanwhile()
    {
        SinkOptions options = StoredRows.Sqlite(_directory);
        await StoredRows.StoreAsync(options, [Line(0, 500)]);
        var told = new Told();
        int opened = 0;
        // The first reader knows the table with a parser that makes no column `status`.
        var watch = new AlertWatch(Errors, _ => ValueTask.FromResult(SinkStores.CreateReader(opened++ == 0 ? options with { Parser = "none" } : options, TimeProvider.System)), AllStored, told, new SetTime(At(0)), told);
        using var stop = new CancellationTokenSource();
        Task running = watch.RunAsync(stop.Token);
        Assert.Contains("there is no field status", Assert.IsType<string>(await told.NextAsync()), StringComparison.Ordinal);
        Assert.IsType<AlertRaised>(await told.NextAsync());
        await stop.CancelAsync();
        await running;
        Assert.Null(watch.Problem);
    }

    [Theory]
    [InlineData("1%", true, 0.01)]
    [InlineData("2.5%", true, 0.025)]
    [InlineData("0", false, 0)]
    [InlineData("100", false, 100)]
    public void A_limit_is_rows_or_a_share(string text, bool isShare, double value)
    {
        Assert.True(AlertLimit.TryParse(text, out AlertLimit limit));
        Assert.Equal(isShare, limit.IsShare);
        Assert.Equal(value, limit.Value, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("100%")]
    [InlineData("many")]
    public void Anything_else_is_no_limit(string text) => Assert.False(AlertLimit.TryParse(text, out _));

    [Fact]
    public async Task A_webhook_that_fails_gets_the_notice_again_and_a_command_gets_it_on_its_input()
    {
        string pipe = Path.Combine(_directory, "notice");
        using (Process made = Process.Start("mkfifo", [pipe]))
        {
            await made.WaitForExitAsync();
        }
        using HttpListener server = Listen(out Uri address);
        var targets = new NoticeTargets { Webhooks = [address], Command = ["/bin/sh", "-c", $"cat > {pipe}"] };
        await using SinkBus bus = await SinkBus.StartAsync(NullLoggerFactory.Instance, targets, default);

        bus.Publish(new SinkStarted("web", DateTimeOffset.UnixEpoch, "postgres")); // nothing that people are told
        bus.Publish(new AlertRaised("web", DateTimeOffset.UnixEpoch, "errors", "too many"));

        const string Expected = """{"time":"1970-01-01T00:00:00+00:00","sink":"web","kind":"alert","is_alert":true,"text":"sink web: alert errors: too many"}""";
        Assert.Equal(Expected, await AnswerAsync(server, HttpStatusCode.InternalServerError));
        Assert.Equal(Expected, await AnswerAsync(server, HttpStatusCode.OK));
        Assert.Equal(Expected, await File.ReadAllTextAsync(pipe).WaitAsync(Within));
    }

    [Fact]
    public async Task An_address_that_fails_keeps_no_notice_from_the_others_and_they_get_it_once()
    {
        using HttpListener failing = Listen(out Uri first);
        using HttpListener server = Listen(out Uri second);
        await using SinkBus bus = await SinkBus.StartAsync(NullLoggerFactory.Instance, new NoticeTargets { Webhooks = [first, second] }, default);
        bus.Publish(new AlertRaised("web", DateTimeOffset.UnixEpoch, "errors", "too many"));
        Assert.Contains("too many", await AnswerAsync(server, HttpStatusCode.OK), StringComparison.Ordinal);
        await AnswerAsync(failing, HttpStatusCode.InternalServerError);
        await AnswerAsync(failing, HttpStatusCode.InternalServerError);
        bus.Publish(new AlertRaised("web", DateTimeOffset.UnixEpoch, "errors", "again too many"));
        Assert.Contains("again too many", await AnswerAsync(server, HttpStatusCode.OK), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_that_drops_the_notice_counts_as_failed()
    {
        using HttpListener moved = Listen(out Uri address);
        using HttpListener server = Listen(out Uri there);
        await using SinkBus bus = await SinkBus.StartAsync(NullLoggerFactory.Instance, new NoticeTargets { Webhooks = [address] }, default);
        bus.Publish(new AlertRaised("web", DateTimeOffset.UnixEpoch, "errors", "too many"));
        await AnswerAsync(moved, HttpStatusCode.MovedPermanently, there);
        Assert.Equal("", await AnswerAsync(server, HttpStatusCode.OK));
        // It is tried again, and 307 takes the notice along.
        Assert.Contains("too many", await AnswerAsync(moved, HttpStatusCode.TemporaryRedirect, there), StringComparison.Ordinal);
        Assert.Contains("too many", await AnswerAsync(server, HttpStatusCode.OK), StringComparison.Ordinal);
    }

    private static HttpListener Listen(out Uri address)
    {
        address = new Uri($"http://127.0.0.1:{Ports.Free()}/hook/");
        var server = new HttpListener { Prefixes = { address.AbsoluteUri } };
        server.Start();
        return server;
    }

    private static async Task<string> AnswerAsync(HttpListener server, HttpStatusCode status, Uri? location = null)
    {
        HttpListenerContext context = await server.GetContextAsync().WaitAsync(Within);
        using var body = new StreamReader(context.Request.InputStream, Encoding.UTF8);
        string text = await body.ReadToEndAsync();
        context.Response.StatusCode = (int)status;
        context.Response.RedirectLocation = location?.AbsoluteUri;
        context.Response.Close();
        return text;
    }
}
