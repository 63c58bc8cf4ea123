namespace LogPipeline.Sinks.Workers;

/// <summary>The log is not as it was claimed: it was cut, it begins above the next offset, or the topic is another one of the same name.</summary>
internal sealed class LogMovedException(string message) : Exception(message);
