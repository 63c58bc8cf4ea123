namespace LogPipeline.Client;

/// <summary>
/// The connection broke, or was broken because an answer was overdue, while a request was under way: whether the broker acted on
/// it is unknown. Every waiter of a connection gets this one type.
/// </summary>
public sealed class BrokerConnectionException(string message, Exception? inner = null) : IOException(message, inner);
