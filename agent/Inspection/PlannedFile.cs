namespace LogPipeline.Agent.Inspection;

/// <summary>What a configuration makes of a file.</summary>
public enum PlannedStep
{
    /// <summary>It is new, and is read from <see cref="PlannedFile.From"/> on.</summary>
    Start,

    /// <summary>It is read on.</summary>
    GoOn,

    /// <summary>It was followed, and no input wants it any more.</summary>
    Stop,

    /// <summary>An input names it, and it cannot be read, or is not to be.</summary>
    LeaveOut,
}

/// <summary>A file and what a configuration makes of it.</summary>
/// <param name="Step">What is done.</param>
/// <param name="Path">Where it is now.</param>
/// <param name="Topic">Where its lines go.</param>
/// <param name="From">The position from which it is read, or at which reading stops.</param>
/// <param name="Left">Bytes behind that position.</param>
/// <param name="Reason">Why it is left out; null where it is not.</param>
public sealed record PlannedFile(PlannedStep Step, string Path, string Topic, long From, long Left, string? Reason = null);
