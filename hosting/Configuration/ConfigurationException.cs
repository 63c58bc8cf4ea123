namespace LogPipeline.Hosting.Configuration;

/// <summary>The configuration cannot be used. The message is one line for people: where, what, and what to write instead.</summary>
public sealed class ConfigurationException(string message) : Exception(message);
