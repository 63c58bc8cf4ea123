namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Tells of changes in directories as soon as they happen. A hint only: it may miss any, be late, or be absent; the sweep finds all.
/// </summary>
public interface IFileWatch : IDisposable
{
    /// <summary>Where hints go, on any thread: the path of a file that may have changed; null = anything may have.</summary>
    Action<string?>? Hint { get; set; }

    /// <summary>Whether every directory that it was asked for is watched.</summary>
    bool IsComplete { get; }

    /// <summary>Watches a directory from now on; no error when it cannot be watched.</summary>
    void Watch(string directory);
}
