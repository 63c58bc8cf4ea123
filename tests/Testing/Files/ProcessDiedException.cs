namespace LogPipeline.Testing.Files;

/// <summary>The process died in a call of its file system: no code of it runs any more.</summary>
public sealed class ProcessDiedException : Exception;
