namespace LogPipeline.Files;

/// <summary>Another process holds the lock of a data directory.</summary>
public sealed class DirectoryLockedException(string path, string holder) : IOException(
    $"{path} is locked by {holder}. Stop that process, or give this one a directory of its own.")
{
    public string LockPath { get; } = path;
}
