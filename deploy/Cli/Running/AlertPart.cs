using LogPipeline.Hosting.Parts;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Alerts;
using LogPipeline.Sinks.Events;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>Watches one alert rule. It never keeps other parts from starting or running: while its rows cannot be counted, health says so.</summary>
internal sealed class AlertPart(AlertRule rule, SinkOptions sink, SinkDelay delay, ISinkEvents events, ILoggerFactory loggers) : IPart
{
    private readonly CancellationTokenSource _stop = new();
    private AlertWatch? _watch;

    public string Name => $"alert {rule.Name}";

    public string? Problem => _watch?.Problem;

    public Task Running { get; private set; } = Task.CompletedTask;

    public Task<string> StartAsync(CancellationToken stop)
    {
        AlertWatch watch = _watch = new AlertWatch(
            rule, cancellation => SinkStores.OpenReaderAsync(sink, TimeProvider.System, cancellation), delay.FindAsync, events, TimeProvider.System,
            loggers.CreateLogger("LogPipeline.Sinks"));
        Running = Task.Run(() => watch.RunAsync(_stop.Token), CancellationToken.None);
        return Task.FromResult(Name);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Running;
        _stop.Dispose();
    }
}
