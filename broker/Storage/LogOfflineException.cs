namespace LogPipeline.Storage;

/// <summary>The log takes nothing any more because a flush failed: what the disk has is known again only after a restart.</summary>
public sealed class LogOfflineException(string log, Exception? cause) : IOException(
    $"The log of {log} is offline: {cause?.Message ?? "it was closed"}", cause);
