namespace LogPipeline.Broker.Pipeline;

/// <summary>What the client sent leaves no answer but to close its connection.</summary>
public sealed class CloseConnectionException(string message, Exception? inner = null) : Exception(message, inner);
