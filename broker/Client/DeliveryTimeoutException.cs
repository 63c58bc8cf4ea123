namespace LogPipeline.Client;

/// <summary>A record was not acknowledged within the delivery timeout; whether it was stored is unknown if it was ever sent.</summary>
public sealed class DeliveryTimeoutException(string message) : TimeoutException(message);
