namespace LogPipeline.Sinks.Rebuilding;

/// <summary>What was asked for cannot be done; says why and what to do.</summary>
public sealed class RebuildRefusedException(string message) : Exception(message);
