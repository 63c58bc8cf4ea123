using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using LogPipeline.Sinks.Bus;
using LogPipeline.Sinks.Events;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Tests;

public sealed class EventBusTests
{
    private sealed class Lines : ILoggerFactory, ILogger
    {
        private readonly TaskCompletionSource<string> _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<string> _printed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> All { get; } = new();

        public Task<string> Paused => _paused.Task;

        public Task<string> Printed => _printed.Task;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string text = formatter(state, exception);
            All.Enqueue(text);
            if (logLevel == LogLevel.Warning && text.Contains("waits", StringComparison.Ordinal))
            {
                _paused.TrySetResult(text);
            }
            if (text.Contains(" printed: ", StringComparison.Ordinal))
            {
                _printed.TrySetResult(text);
            }
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }

    [Fact]
    public async Task An_event_reaches_the_log_over_the_bus()
    {
        using var lines = new Lines();
        await using SinkBus bus = await SinkBus.StartAsync(lines, NoticeTargets.None, default);
        bus.Publish(new SinkPaused("web", DateTimeOffset.UnixEpoch, "the database is down"));
        Assert.Equal("sink web: waits: the database is down", await lines.Paused.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task The_end_does_not_wait_for_a_target_that_never_answers()
    {
        using var lines = new Lines();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var targets = new NoticeTargets { Webhooks = [new Uri($"http://{silent.LocalEndpoint}/hook")] };
        SinkBus bus = await SinkBus.StartAsync(lines, targets, default);
        bus.Publish(new SinkPaused("web", DateTimeOffset.UnixEpoch, "the database is down"));
        using TcpClient posted = await silent.AcceptTcpClientAsync();
        await bus.DisposeAsync(); // all tries would take two minutes and a half
        Assert.DoesNotContain(lines.All, line => line.Contains("is not sent again", StringComparison.Ordinal));
        Assert.Contains(lines.All, line => line.Contains("are given up: the process ends", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_program_prints_goes_to_the_log_and_is_bounded()
    {
        using var lines = new Lines();
        // The last part of it goes on behind its end, and holds its output.
        var targets = new NoticeTargets { Command = ["sh", "-c", "cat; echo paged; head -c 9000 /dev/zero | tr '\\0' x; echo no number >&2; sleep 20 &"] };
        await using SinkBus bus = await SinkBus.StartAsync(lines, targets, default);
        bus.Publish(new SinkPaused("web", DateTimeOffset.UnixEpoch, "the database is down"));
        string printed = await lines.Printed.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.StartsWith("sh printed: {\"time\":\"1970-01-01T00:00:00", printed, StringComparison.Ordinal);
        Assert.Contains("paged\nxxx", printed, StringComparison.Ordinal);
        Assert.EndsWith("x … no number", printed, StringComparison.Ordinal);
        Assert.InRange(printed.Length, 2000, 2100);
    }
}
