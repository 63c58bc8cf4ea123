using Microsoft.Extensions.Logging;

namespace LogPipeline.Testing.Logging;

/// <summary>Keeps what is logged at warning or above, or from <see cref="Least"/> on. The lock guards the lines: parts log on any thread.</summary>
public sealed class WarningLog : ILogger
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];

    public LogLevel Least { get; set; } = LogLevel.Warning;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= Least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        if (IsEnabled(logLevel))
        {
            lock (_gate)
            {
                _lines.Add(formatter(state, exception));
            }
        }
    }

    public int Count(string part) => Lines.Count(l => l.Contains(part, StringComparison.Ordinal));
}
