using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent;

/// <summary>Every line the agent writes about itself. Ids 2000 to 2099.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(2000, LogLevel.Information, "Agent {AgentId} on {Host}: {Files} files, {Entries} batches to settle")]
    public static partial void Started(this ILogger logger, Guid agentId, string host, int files, int entries);

    [LoggerMessage(2001, LogLevel.Warning, "State directory {Directory}: {Reason}. A new agent id is taken; files, and what is spooled, are read and sent again from their start")]
    public static partial void StateLost(this ILogger logger, string directory, string reason);

    [LoggerMessage(2094, LogLevel.Warning, "State directory {Directory}: {Damage}. Its copy is used, nothing is lost")]
    public static partial void RegistryCopyUsed(this ILogger logger, string directory, string damage);

    [LoggerMessage(2006, LogLevel.Warning, "{Path} is damaged: a start was killed, and files that were rotated long before it are not looked for")]
    public static partial void StartMarkDamaged(this ILogger logger, string path);

    [LoggerMessage(2002, LogLevel.Warning, "In-flight state is damaged: {Damage}. What was sent is found by reading the logs back")]
    public static partial void StateDamaged(this ILogger logger, string damage);

    [LoggerMessage(2003, LogLevel.Error, "The agent's state cannot be written, reading pauses: {Reason}")]
    public static partial void StatePaused(this ILogger logger, string reason);

    [LoggerMessage(2004, LogLevel.Information, "The agent's state can be written again")]
    public static partial void StateResumed(this ILogger logger);

    [LoggerMessage(2010, LogLevel.Information, "{Path}: followed from byte {Position} for topic {Topic}")]
    public static partial void Following(this ILogger logger, string path, long position, string topic);

    [LoggerMessage(2096, LogLevel.Information, "{Count} more files are followed; logpipe-agent status lists them")]
    public static partial void FollowingMore(this ILogger logger, int count);

    [LoggerMessage(2097, LogLevel.Warning, "{Path}: is deleted with {Bytes} bytes that cannot be sent now: they are kept compressed in {Packed}")]
    public static partial void Packed(this ILogger logger, string path, long bytes, string packed);

    [LoggerMessage(2098, LogLevel.Warning, "Deleted files that are not read yet cannot be kept compressed, and are held open instead: {Reason}")]
    public static partial void NotPacked(this ILogger logger, string reason);

    [LoggerMessage(2057, LogLevel.Error, "{Count} deleted files that were not sent are kept compressed in {Directory}: whose lines they are the state does not tell any more, so they are not sent")]
    public static partial void PackedAside(this ILogger logger, int count, string directory);

    [LoggerMessage(2011, LogLevel.Warning, "{Path}: cannot be read: {Reason}. It is tried again")]
    public static partial void Unreadable(this ILogger logger, string path, string reason);

    [LoggerMessage(2095, LogLevel.Warning, "{Path}: is not read: {Reason}. Give its input another topic, or exclude it")]
    public static partial void Refused(this ILogger logger, string path, string reason);

    [LoggerMessage(2012, LogLevel.Information, "{Path}: was rotated; the rest is read from {Now}")]
    public static partial void Rotated(this ILogger logger, string path, string now);

    [LoggerMessage(2037, LogLevel.Error, "{Path}: is deleted, and {Unread} bytes of it that could not be sent are lost as the agent stops: {Reason}")]
    public static partial void NotKept(this ILogger logger, string path, long unread, string reason);

    [LoggerMessage(2029, LogLevel.Information, "{Path}: is {Now} again")]
    public static partial void MovedBack(this ILogger logger, string path, string now);

    [LoggerMessage(2013, LogLevel.Warning, "{Path}: was truncated at byte {Position} read; {Note}")]
    public static partial void Truncated(this ILogger logger, string path, long position, string note);

    [LoggerMessage(2014, LogLevel.Warning, "{Path}: lost its end in a crash of the host; what differs is read from byte {Position} on")]
    public static partial void CutByCrash(this ILogger logger, string path, long position);

    [LoggerMessage(2015, LogLevel.Error, "{Path}: gone with byte {Position} read; {Unread} bytes that followed are lost")]
    public static partial void GoneUnread(this ILogger logger, string path, long position, long unread);

    [LoggerMessage(2028, LogLevel.Warning, "{Path}: a file of this name was made and deleted before it could be opened; what it held is lost. More such files of this name are only counted")]
    public static partial void Missed(this ILogger logger, string path);

    [LoggerMessage(2038, LogLevel.Information, "{Path}: the file that is {Name} now was begun and rotated {When}, and is read from its first byte")]
    public static partial void MissedRotation(this ILogger logger, string path, string name, string when);

    [LoggerMessage(2005, LogLevel.Warning, "{Path}: {Name} was begun, rotated and compressed between two looks: its lines are not read")]
    public static partial void CompressedBetweenLooks(this ILogger logger, string path, string name);

    [LoggerMessage(2039, LogLevel.Warning, "{Path}: {Name} is taken for what became of it and read on at byte {Position}; that is too little to be sure that it is no other file that begins alike")]
    public static partial void MayBeMissed(this ILogger logger, string path, long position, string name);

    [LoggerMessage(2017, LogLevel.Warning, "{Path}: gone while the agent was away, with byte {Position} read; whether more followed cannot be told. No archive of it lies beside it or where paths lead")]
    public static partial void GoneAway(this ILogger logger, string path, long position);

    [LoggerMessage(2091, LogLevel.Information, "{Path}: was compressed to {Archive} while the agent was away; it is read on there at byte {Position}")]
    public static partial void Unpacked(this ILogger logger, string path, string archive, long position);

    [LoggerMessage(2092, LogLevel.Information, "{Path}: was compressed to {Archive} while the agent was away; all of it was read before")]
    public static partial void Archived(this ILogger logger, string path, string archive);

    [LoggerMessage(2093, LogLevel.Warning, "{Path}: cannot be unpacked, to see whether it holds lines that were not read: {Reason}")]
    public static partial void ArchiveUnread(this ILogger logger, string path, string reason);

    [LoggerMessage(2099, LogLevel.Warning, "{Path}: is still being written; the start waits for it, since it may hold lines that were not read")]
    public static partial void ArchiveGrows(this ILogger logger, string path);

    [LoggerMessage(2058, LogLevel.Warning, "{Path}: ends before what was compressed does; the lines behind its end cannot be read")]
    public static partial void ArchiveCut(this ILogger logger, string path);

    [LoggerMessage(2016, LogLevel.Warning, "Topic {Topic} is in no input any more: {Files} files are not followed; what was under way is still settled")]
    public static partial void Unfollowed(this ILogger logger, string topic, int files);

    [LoggerMessage(2034, LogLevel.Warning, "{Path}: no input for topic {Topic} wants it any more: it is not followed; what was under way is still settled")]
    public static partial void Unwanted(this ILogger logger, string path, string topic);

    [LoggerMessage(2018, LogLevel.Information, "{Path}: replaced by a file that begins with all that was read; it is read on at byte {Position}")]
    public static partial void Replaced(this ILogger logger, string path, long position);

    [LoggerMessage(2019, LogLevel.Information, "{Path}: is compressed and left out")]
    public static partial void Compressed(this ILogger logger, string path);

    [LoggerMessage(2030, LogLevel.Warning, "{Path}: {Bytes} NUL bytes from byte {Position} on are left out: its writer went on behind the end that a truncation took, or wrote none of them")]
    public static partial void NulsLeftOut(this ILogger logger, string path, long bytes, long position);

    [LoggerMessage(2031, LogLevel.Warning, "{Files} files with unread lines are open, more than that are not held: new ones are read in their turn, but lost if they are deleted before. Raise open_files_max")]
    public static partial void FilesWait(this ILogger logger, int files);

    [LoggerMessage(2032, LogLevel.Information, "{Path}: begins with the byte order mark of {Encoding}; its lines are sent as UTF-8")]
    public static partial void Decoded(this ILogger logger, string path, string encoding);

    [LoggerMessage(2090, LogLevel.Warning, "{Path}: the line at byte {Position} is not of the format {Format}; such lines are sent as they are and counted. It is told once")]
    public static partial void Misfit(this ILogger logger, string path, long position, string format);

    [LoggerMessage(2047, LogLevel.Warning, "{Path}: in the line at byte {LineBegin} a match of redact begins at or before byte {Position} and is longer than max_line_bytes ({MaxLineBytes}): that much of it cannot be searched at once, so from there on the line is left out")]
    public static partial void Withheld(this ILogger logger, string path, long lineBegin, long position, int maxLineBytes);

    [LoggerMessage(2049, LogLevel.Warning, "{Path}: the rest of the line at byte {LineBegin} does not come, and what redact matches may go on in it: the line is left out from byte {Position} on, and so is its rest where that comes later")]
    public static partial void Unended(this ILogger logger, string path, long lineBegin, long position);

    [LoggerMessage(2035, LogLevel.Warning, "{Path}: no file is there yet. It is read as soon as there is one")]
    public static partial void Unmatched(this ILogger logger, string path);

    [LoggerMessage(2036, LogLevel.Warning, "{Path}: is a directory, and nothing in it is read: name its files, such as {Path}/*.log")]
    public static partial void IsDirectory(this ILogger logger, string path);

    [LoggerMessage(2033, LogLevel.Warning, "Directory {Directory} cannot be watched ({Reason}): changes in it are found by looking, at most {Seconds} s later")]
    public static partial void Unwatched(this ILogger logger, string directory, string reason, int seconds);

    [LoggerMessage(2040, LogLevel.Warning, "Broker {Reason}; trying again")]
    public static partial void BrokerAway(this ILogger logger, string reason);

    [LoggerMessage(2041, LogLevel.Information, "Broker {Broker}: connected again after {Seconds} s")]
    public static partial void BrokerBack(this ILogger logger, string broker, double seconds);

    [LoggerMessage(2042, LogLevel.Information, "{Subject}: served again after {Seconds} s")]
    public static partial void ServedAgain(this ILogger logger, string subject, double seconds);

    [LoggerMessage(2043, LogLevel.Error, "{Path}: {Bytes} bytes wait to be read for {Seconds} s, and nothing is known that holds them up")]
    public static partial void Stalled(this ILogger logger, string path, long bytes, long seconds);

    [LoggerMessage(2044, LogLevel.Information, "Backlog: {Left} to send at {Rate}/s, {Estimate}")]
    public static partial void BacklogProgress(this ILogger logger, string left, string rate, string estimate);

    [LoggerMessage(2045, LogLevel.Information, "Backlog: sent")]
    public static partial void BacklogSent(this ILogger logger);

    [LoggerMessage(2046, LogLevel.Information, "Status topic {Topic}: {Reason}; trying again. Lines are not concerned; agent.status_topic: off ends it")]
    public static partial void StatusNotPublished(this ILogger logger, string topic, string reason);

    [LoggerMessage(2050, LogLevel.Information, "Source {Source}: open for topic {Topic}")]
    public static partial void SourceOpened(this ILogger logger, string source, string topic);

    [LoggerMessage(2051, LogLevel.Warning, "Source {Source}: {Reason}; trying again")]
    public static partial void SourceFailed(this ILogger logger, string source, string reason);

    [LoggerMessage(2048, LogLevel.Warning, "Source {Source}: {Said}")]
    public static partial void SourceSaid(this ILogger logger, string source, string said);

    [LoggerMessage(2052, LogLevel.Warning, "Source {Source}: its spool is full, and what comes is dropped until some of it is acked")]
    public static partial void SourceDrops(this ILogger logger, string source);

    [LoggerMessage(2053, LogLevel.Warning, "Source {Source}: {Peer} is disconnected: {Reason}")]
    public static partial void SyslogPeerRefused(this ILogger logger, string source, string peer, string reason);

    [LoggerMessage(2054, LogLevel.Error, "Source {Source}: its spool cannot be written, so it waits, or drops what cannot wait: {Reason}")]
    public static partial void SpoolPaused(this ILogger logger, string source, string reason);

    [LoggerMessage(2055, LogLevel.Information, "Source {Source}: its spool can be written again")]
    public static partial void SpoolResumed(this ILogger logger, string source);

    [LoggerMessage(2056, LogLevel.Error, "Source {Source}: {Bytes} bytes that it gave are lost: its spool cannot be written, and the agent ends: {Reason}")]
    public static partial void SourceLost(this ILogger logger, string source, long bytes, string reason);

    [LoggerMessage(2020, LogLevel.Warning, "{Topic}-{Partition}: {Reason}; trying again")]
    public static partial void LogUnavailable(this ILogger logger, string topic, int partition, string reason);

    [LoggerMessage(2027, LogLevel.Warning, "Topic {Topic}: {Reason}; trying again")]
    public static partial void TopicUnavailable(this ILogger logger, string topic, string reason);

    [LoggerMessage(2021, LogLevel.Information, "{Topic}-{Partition}: serving under producer id {ProducerId}")]
    public static partial void LogOpened(this ILogger logger, string topic, int partition, long producerId);

    [LoggerMessage(2022, LogLevel.Warning, "{Topic}-{Partition}: producer {ProducerId} is fenced and the log read back: {Reason}")]
    public static partial void Fencing(this ILogger logger, string topic, int partition, long producerId, string reason);

    [LoggerMessage(2023, LogLevel.Warning, "{Topic}-{Partition}: {Found} batches were in the log, {Missing} are sent anew, {Lost} acked ones are sent again")]
    public static partial void Scanned(this ILogger logger, string topic, int partition, int found, int missing, int lost);

    [LoggerMessage(2024, LogLevel.Warning, "{Topic}-{Partition}: another cluster or topic than before; what is not acked is sent to it marked 'again'. Lines that were acked before and that it lacks, logpipe-agent resend sends from files that are still there")]
    public static partial void LogReplaced(this ILogger logger, string topic, int partition);

    [LoggerMessage(2025, LogLevel.Error, "{Topic}-{Partition}: a batch is refused ({Error}); it is split to find the record")]
    public static partial void BatchRefused(this ILogger logger, string topic, int partition, string error);

    [LoggerMessage(2026, LogLevel.Error, "{Topic}-{Partition}: a record of {Length} bytes at byte {Position} is refused ({Error}) and goes to the dead letters")]
    public static partial void DeadLetter(this ILogger logger, string topic, int partition, int length, long position, string error);
}
