using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>What this room tells the operator. Ids 2000–2099.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Error, "{Log}: the disk refused an append")]
    public static partial void AppendRefused(ILogger logger, string log, Exception cause);

    [LoggerMessage(2001, LogLevel.Critical, "{Log} is offline until the next start")]
    public static partial void WentOffline(ILogger logger, string log, Exception cause);

    [LoggerMessage(2002, LogLevel.Warning, "{Log}: cut a torn tail of {Bytes} bytes, never acknowledged; the log ends at offset {EndOffset}")]
    public static partial void CutTornTail(ILogger logger, string log, long bytes, long endOffset);

    [LoggerMessage(2003, LogLevel.Information, "{Directory}: opened with {Logs} logs in leader epoch {LeaderEpoch}; the last stop was {LastStop}")]
    public static partial void Opened(ILogger logger, string directory, int logs, int leaderEpoch, string lastStop);

    [LoggerMessage(2004, LogLevel.Warning, "{Log}: no checkpoint could be written; after a crash more will be read again")]
    public static partial void CheckpointRefused(ILogger logger, string log, Exception cause);

    [LoggerMessage(2005, LogLevel.Error, "{Log}: offset {Offset} cannot be read")]
    public static partial void ReadRefused(ILogger logger, string log, long offset, Exception cause);
}
