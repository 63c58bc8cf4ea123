using System.Collections.Concurrent;
using LogPipeline.Sinks.Bus;
using LogPipeline.Sinks.Events;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Tests;

public sealed class EventBusTests
{
    private sealed class Lines : ILoggerFactory, ILogger
    {
        private readonly TaskCompletionSource<string> _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> All { get; } = new();

        public Task<string> Paused => _paused.Task;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string text = formatter(state, exception);
            All.Enqueue(text);
            if (logLevel == LogLevel.Warning && text.Contains("waits", StringComparison.Ordinal))
            {
                _paused.TrySetResult(text);
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
}
