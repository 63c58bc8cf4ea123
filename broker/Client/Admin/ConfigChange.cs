namespace LogPipeline.Client.Admin;

/// <summary>A setting to change.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its new value; null inherits it again.</param>
public readonly record struct ConfigChange(string Name, string? Value);
