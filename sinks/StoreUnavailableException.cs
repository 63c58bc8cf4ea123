namespace LogPipeline.Sinks;

/// <summary>The database cannot be reached or is not able to work now; trying later helps.</summary>
public sealed class StoreUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
