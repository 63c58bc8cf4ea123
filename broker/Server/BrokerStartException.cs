namespace LogPipeline.Broker;

/// <summary>The broker cannot start; the message is one line that says why and what to do.</summary>
public sealed class BrokerStartException(string message, Exception? inner = null) : Exception(message, inner);
