namespace LogPipeline.Agent.Resending;

/// <summary>Lines cannot be sent again; the message says why, for the person who asked for it.</summary>
public sealed class ResendRefusedException(string message) : Exception(message);
