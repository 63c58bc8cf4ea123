using System.Diagnostics.Metrics;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Hosting.Telemetry;

namespace LogPipeline.Hosting.Tests.Telemetry;

public class MetricsEndpointTests
{
    [Fact]
    public async Task Every_kind_of_instrument_is_served_as_prometheus_text()
    {
        using var meter = new Meter("LogPipeline.Sample");
        await using ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = "127.0.0.1:0" }, new Health());
        Counter<long> lines = meter.CreateCounter<long>("sample_lines_total", null, "Lines \"read\".");
        lines.Add(3, KeyValuePair.Create<string, object?>("topic", "web_log"));
        lines.Add(4, KeyValuePair.Create<string, object?>("topic", "web_log"));
        lines.Add(1, KeyValuePair.Create<string, object?>("topic", "a\"b\\c\nd"));
        meter.CreateUpDownCounter<int>("sample_connections").Add(-2);
        meter.CreateObservableGauge("sample.depth", () => 1.5);
        Histogram<double> latency = meter.CreateHistogram("sample_seconds", null, null, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (double seconds in new[] { 0.05, 0.1, 0.5, 7 })
        {
            latency.Record(seconds);
        }

        string text = await GetAsync(telemetry, "/metrics");
        AssertLines(text, "# HELP sample_lines_total Lines \"read\".", "# TYPE sample_lines_total counter",
            "sample_lines_total{topic=\"a\\\"b\\\\c\\nd\"} 1", "sample_lines_total{topic=\"web_log\"} 7");
        AssertLines(text, "# TYPE sample_connections gauge", "sample_connections -2");
        AssertLines(text, "# TYPE sample_depth gauge", "sample_depth 1.5");
        AssertLines(text, "# TYPE sample_seconds histogram", "sample_seconds_bucket{le=\"0.1\"} 2", "sample_seconds_bucket{le=\"1\"} 3",
            "sample_seconds_bucket{le=\"+Inf\"} 4", "sample_seconds_sum 7.65", "sample_seconds_count 4");
        Assert.Contains("\nprocess_resident_memory_bytes ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_label_set_that_an_observable_instrument_tells_no_more_is_gone()
    {
        using var meter = new Meter("LogPipeline.Sample");
        await using ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = "127.0.0.1:0" }, new Health());
        string[] files = ["a", "b"];
        meter.CreateObservableGauge("sample_lag", () => files.Select(file => new Measurement<long>(1, KeyValuePair.Create<string, object?>("file", file))));
        Counter<long> lines = meter.CreateCounter<long>("sample_lines_total");
        lines.Add(2);
        AssertLines(await GetAsync(telemetry, "/metrics"), "sample_lag{file=\"a\"} 1", "sample_lag{file=\"b\"} 1");
        files = ["b"];
        string text = await GetAsync(telemetry, "/metrics");
        AssertLines(text, "sample_lag{file=\"b\"} 1");
        AssertLines(text, "sample_lines_total 2");
        Assert.DoesNotContain("file=\"a\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_may_answer_a_page_of_its_own()
    {
        await using ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(
            new TelemetryOptions { AdminListen = "127.0.0.1:0" }, new Health(),
            request => ValueTask.FromResult(request.Path == "/own" ? new Hosting.Admin.AdminResponse(200, "text/plain", $"{request.IsLocal} {request.Query["path"]}") : null));
        Assert.Equal("True /a b&c", await GetAsync(telemetry, "/own?limit=3&path=%2Fa%20b%26c"));
        using var client = new HttpClient();
        Assert.Equal(404, (int)(await client.GetAsync(new Uri($"http://{telemetry.AdminEndpoint}/other"))).StatusCode);
    }

    [Fact]
    public async Task Meters_of_others_are_left_out()
    {
        using var meter = new Meter("Somebody.Else");
        await using ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = "127.0.0.1:0" }, new Health());
        meter.CreateCounter<long>("foreign_total").Add(1);
        Assert.DoesNotContain("foreign_total", await GetAsync(telemetry, "/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_names_the_part_that_is_unwell()
    {
        var health = new Health();
        await using ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = "127.0.0.1:0" }, health);
        Assert.Equal("ok\n", await GetAsync(telemetry, "/healthz"));
        string? problem = null;
        health.Add("broker", () => null);
        health.Add("sink web_log", () => problem);
        Assert.Equal("broker: ok\nsink web_log: ok\n", await GetAsync(telemetry, "/healthz"));
        problem = "the database is away";
        using var client = new HttpClient();
        using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://{telemetry.AdminEndpoint}/healthz"));
        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal("broker: ok\nsink web_log: the database is away\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Garbage_loses_its_own_connection_only()
    {
        await using ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = "127.0.0.1:0" }, new Health());
        using (var socket = new System.Net.Sockets.TcpClient())
        {
            await socket.ConnectAsync(telemetry.AdminEndpoint!);
            await socket.GetStream().WriteAsync(new byte[9000]);
            int end = await socket.GetStream().ReadAtLeastAsync(new byte[4096], 4096, throwOnEndOfStream: false);
            Assert.True(end < 4096);
        }
        Assert.Equal("ok\n", await GetAsync(telemetry, "/healthz"));
    }

    [Fact]
    public async Task Address_that_is_taken_or_wrong_is_said()
    {
        await using ProcessTelemetry first = await ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = "127.0.0.1:0" }, new Health());
        AddressTakenException taken = await Assert.ThrowsAsync<AddressTakenException>(() => ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = first.AdminEndpoint!.ToString() }, new Health()));
        Assert.Contains("stop what uses it, or set admin.listen to another port", taken.Message, StringComparison.Ordinal);
        ConfigurationException wrong = await Assert.ThrowsAsync<ConfigurationException>(() => ProcessTelemetry.StartAsync(new TelemetryOptions { AdminListen = "nowhere" }, new Health()));
        Assert.Equal("admin.listen should be an address and a port such as 127.0.0.1:9600, not 'nowhere'", wrong.Message);
    }

    private static async Task<string> GetAsync(ProcessTelemetry telemetry, string path)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri($"http://{telemetry.AdminEndpoint}{path}"));
    }

    private static void AssertLines(string text, params string[] lines)
        => Assert.Contains("\n" + string.Join('\n', lines) + "\n", "\n" + text, StringComparison.Ordinal);
}
