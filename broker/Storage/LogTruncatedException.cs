namespace LogPipeline.Storage;

/// <summary>What was waited for was cut from the log before it was durable.</summary>
public sealed class LogTruncatedException(string log, long endOffset) : IOException($"The log of {log} was cut at offset {endOffset}.");
