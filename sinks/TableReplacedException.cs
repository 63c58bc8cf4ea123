namespace LogPipeline.Sinks;

/// <summary>Another table has taken the place of the one that the store opened, as after a rebuild: a store that is opened now goes on in it.</summary>
public sealed class TableReplacedException(string message) : Exception(message);
