namespace LogPipeline.Hosting.Parts;

/// <summary>A part of the process could not start, or ended by a failure; the inner exception is the reason.</summary>
public sealed class PartFailedException(string part, Exception reason) : Exception(reason?.Message, reason)
{
    /// <summary>The part's name: <see cref="IPart.Name"/>.</summary>
    public string Part { get; } = part;

    /// <summary>True when it failed before it served.</summary>
    public bool BeforeReady { get; init; }
}
