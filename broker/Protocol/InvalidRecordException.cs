namespace LogPipeline.Protocol;

/// <summary>Records whose bytes are as they were sent, and which say what no record may say, as a compressed message inside another.</summary>
public sealed class InvalidRecordException(string message, Exception? cause = null) : Exception(message, cause);
