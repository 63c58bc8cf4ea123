using System.Collections.Concurrent;
using LogPipeline.Sinks.Events;

namespace LogPipeline.Sinks.Tests;

/// <summary>Keeps what a sink tells.</summary>
internal sealed class RecordedEvents : ISinkEvents
{
    private readonly TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<SinkEvent> All { get; } = new();

    /// <summary>Done at the first pause.</summary>
    public Task Paused => _paused.Task;

    public void Publish(SinkEvent sinkEvent)
    {
        All.Enqueue(sinkEvent);
        if (sinkEvent is SinkPaused)
        {
            _paused.TrySetResult();
        }
    }
}
