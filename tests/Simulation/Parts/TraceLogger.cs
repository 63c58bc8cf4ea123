using LogPipeline.Simulation.Kernel;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Simulation.Parts;

/// <summary>What a part says goes into the trace, when there is one.</summary>
internal sealed class TraceLogger(Part part) : ILogger, ILoggerFactory
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => part.World.Trace.Verbose;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        part.World.Trace.Say(part, $"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}");
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
