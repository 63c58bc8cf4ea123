namespace LogPipeline.Sinks.Events;

/// <summary>
/// The sink's life as others see it: a handful of messages an hour, never one a line. Calls return at once; listeners
/// run on their own.
/// </summary>
public interface ISinkEvents
{
    void Publish(SinkEvent sinkEvent);
}

/// <summary>Events that nobody listens to.</summary>
public sealed class SilentSinkEvents : ISinkEvents
{
    public void Publish(SinkEvent sinkEvent)
    {
    }
}
