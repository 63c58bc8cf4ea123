using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LogPipeline.Hosting.Telemetry;

namespace LogPipeline.Hosting.Tests.Telemetry;

public class OtlpPushTests
{
    [Fact]
    public async Task Metrics_reach_a_collector_over_http()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        Task<string> received = ReceiveAsync(collector);
        using var meter = new Meter("LogPipeline.Pushed");
        ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(new TelemetryOptions { Otlp = new Uri($"http://{collector.LocalEndpoint}") }, new Health());
        meter.CreateCounter<long>("pushed_lines_total").Add(1);
        await telemetry.DisposeAsync(); // pushes what is left
        string request = await received.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.StartsWith("POST /v1/metrics HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains("pushed_lines_total", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_histogram_is_pushed_with_the_bounds_that_the_metrics_page_has()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        Task<string> received = ReceiveAsync(collector);
        using var meter = new Meter("LogPipeline.Bounded");
        ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(new TelemetryOptions { Otlp = new Uri($"http://{collector.LocalEndpoint}") }, new Health());
        meter.CreateHistogram<double>("bounded_seconds").Record(0.0007);
        await telemetry.DisposeAsync();
        string request = await received.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains(BytesOf(0.0005) + BytesOf(0.001) + BytesOf(0.0025), request, StringComparison.Ordinal);

        static string BytesOf(double bound) => Encoding.Latin1.GetString(BitConverter.GetBytes(bound));
    }

    [Fact]
    public async Task Spans_of_the_named_sources_reach_a_collector()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        Task<string[]> received = Task.WhenAll(ReceiveAsync(collector), ReceiveAsync(collector)); // metrics and traces, in any order
        using var source = new ActivitySource("Sample.Database");
        using var other = new ActivitySource("Sample.Other");
        ProcessTelemetry telemetry = await ProcessTelemetry.StartAsync(
            new TelemetryOptions { Otlp = new Uri($"http://{collector.LocalEndpoint}"), TraceSources = ["Sample.Database"] }, new Health());
        source.StartActivity("copy rows")!.Dispose();
        Assert.Null(other.StartActivity("not asked for"));
        await telemetry.DisposeAsync();
        string traces = Assert.Single(await received.WaitAsync(TimeSpan.FromSeconds(30)), request => request.StartsWith("POST /v1/traces ", StringComparison.Ordinal));
        Assert.Contains("copy rows", traces, StringComparison.Ordinal);
    }

    // Answers one request after its body came in whole, and returns it as text.
    private static async Task<string> ReceiveAsync(TcpListener collector)
    {
        using TcpClient client = await collector.AcceptTcpClientAsync();
        NetworkStream stream = client.GetStream();
        var bytes = new MemoryStream();
        byte[] buffer = new byte[16 << 10];
        while (true)
        {
            bytes.Write(buffer, 0, await stream.ReadAsync(buffer));
            string text = Encoding.Latin1.GetString(bytes.ToArray());
            int head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head < 0)
            {
                continue;
            }
            int length = int.Parse(text.Split("Content-Length: ")[1].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
            if (text.Length < head + 4 + length)
            {
                continue;
            }
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            return text;
        }
    }
}
