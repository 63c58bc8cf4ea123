namespace LogPipeline.Sinks;

/// <summary>A setting is wrong; the message says which, and what to write.</summary>
public sealed class SinkConfigurationException(string message) : Exception(message);
