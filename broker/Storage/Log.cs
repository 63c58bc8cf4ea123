using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>What this room tells the operator. Event ids 3000 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Error, "{Log}: the disk refused an append")]
    public static partial void AppendRefused(ILogger logger, string log, Exception cause);

    [LoggerMessage(3001, LogLevel.Critical, "{Log} is offline until the next start")]
    public static partial void WentOffline(ILogger logger, string log, Exception cause);

    [LoggerMessage(3002, LogLevel.Warning, "{Log}: cut a torn tail of {Bytes} bytes, never acknowledged; the log ends at offset {EndOffset}")]
    public static partial void CutTornTail(ILogger logger, string log, long bytes, long endOffset);

    [LoggerMessage(3003, LogLevel.Information, "{Directory}: opened with {Logs} logs in leader epoch {LeaderEpoch}; the last stop was {LastStop}")]
    public static partial void Opened(ILogger logger, string directory, int logs, int leaderEpoch, string lastStop);

    [LoggerMessage(3006, LogLevel.Error, "{Log} is offline: {Reason}")]
    public static partial void NotOpened(ILogger logger, string log, string reason);

    [LoggerMessage(3007, LogLevel.Warning, "{Directory} is left alone: its name is like a log's, but nothing in it is known to be one")]
    public static partial void LeftAlone(ILogger logger, string directory);

    [LoggerMessage(3008, LogLevel.Warning, "{Directory}/partition.metadata was made anew with topic id {TopicId}: {Problem}")]
    public static partial void MetadataMadeAnew(ILogger logger, string directory, string problem, Guid topicId);

    [LoggerMessage(3009, LogLevel.Error, "{Directory}: {Free} bytes are free, {Reserve} are reserved (log.reserved.bytes): producers are refused until there is room again")]
    public static partial void DiskShort(ILogger logger, string directory, long free, long reserve);

    [LoggerMessage(3010, LogLevel.Information, "{Directory}: {Free} bytes are free again: producers are served")]
    public static partial void DiskRoomy(ILogger logger, string directory, long free);

    [LoggerMessage(3011, LogLevel.Warning, "{Directory}: segments below the log's start could not be removed; they go with the next start")]
    public static partial void RemovalRefused(ILogger logger, string directory, Exception cause);

    [LoggerMessage(3012, LogLevel.Warning, "{Directory}: how much of the disk is free is not known, or the reserve could not be held")]
    public static partial void SpaceUnknown(ILogger logger, string directory, Exception cause);

    [LoggerMessage(3004, LogLevel.Warning, "{Log}: no checkpoint could be written; after a crash more will be read again")]
    public static partial void CheckpointRefused(ILogger logger, string log, Exception cause);

    [LoggerMessage(3005, LogLevel.Error, "{Log}: offset {Offset} cannot be read")]
    public static partial void ReadRefused(ILogger logger, string log, long offset, Exception cause);

    [LoggerMessage(3013, LogLevel.Error, "{Log} is damaged in {File} at position {Position}: {Reason}. Offsets {FirstOffset} to {NextOffset} (exclusive) are not served. Restore the file from a copy while the broker is stopped, or delete the records up to there")]
    public static partial void BatchDamaged(ILogger logger, string log, string file, long position, long firstOffset, long nextOffset, string reason);

    [LoggerMessage(3020, LogLevel.Error, "{Journal} is off until the next start; every append now syncs its own segment")]
    public static partial void JournalOff(ILogger logger, string journal, Exception cause);

    [LoggerMessage(3021, LogLevel.Information, "{Journal}: of {Entries} batches {Restored} were missing in their segments and were written back")]
    public static partial void Replayed(ILogger logger, string journal, int entries, int restored);
}
