namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Tells of changes in directories as soon as they happen. A hint only: it may miss any, be late, or be absent; the sweep finds all.
/// </summary>
public interface IFileWatch : IDisposable
{
    /// <summary>Where hints go, on any thread: the path of a file that may have been written; null = anything may have happened.</summary>
    Action<string?>? Hint { get; set; }

    /// <summary>Where changes of names go, on any thread, in the order in which they happened. After one that it missed comes a hint of null.</summary>
    Action<NameChange>? Named { get; set; }

    /// <summary>Whether every directory that it was asked for is watched.</summary>
    bool IsComplete { get; }

    /// <summary>Watches a directory from now on; no error when it cannot be watched.</summary>
    void Watch(string directory);
}

/// <summary>A file in a directory that is watched has another name.</summary>
/// <param name="From">The name that it had; null where it was made, or comes from where nothing is watched.</param>
/// <param name="To">The name that it has; null where it was deleted, or went where nothing is watched.</param>
public readonly record struct NameChange(string? From, string? To);
