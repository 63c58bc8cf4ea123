namespace LogPipeline.Client;

/// <summary>No broker could be reached, so nothing was sent. The message names each endpoint tried and the reason.</summary>
public sealed class BrokerUnreachableException(string message, Exception? inner = null) : IOException(message, inner);
