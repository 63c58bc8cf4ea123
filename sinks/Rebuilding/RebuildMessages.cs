namespace LogPipeline.Sinks.Rebuilding;

/// <summary>A rebuild has reached a stage, or was found at it when a process started.</summary>
/// <param name="Saga">Tells this process's sagas apart.</param>
/// <param name="Sink">Whose table it is.</param>
/// <param name="Id">Of the row in <c>logpipe_rebuilds</c>.</param>
/// <param name="Stage">What the row says.</param>
public sealed record RebuildMoved(Guid Saga, string Sink, int Id, RebuildStage Stage);

/// <summary>Take the step that leads on from a stage.</summary>
public sealed record TakeRebuildStep(Guid Saga, string Sink, int Id, RebuildStage Stage);

/// <summary>Carries what happens to rebuilds to the saga, and its steps to where they are taken.</summary>
public interface IRebuildBus
{
    /// <summary>Steps of the sink's rebuilds are taken here, until the result is disposed.</summary>
    IDisposable Connect(string sink, RebuildRunner runner);

    /// <summary>Returns at once.</summary>
    void Send(RebuildMoved moved);
}
