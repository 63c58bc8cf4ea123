namespace LogPipeline.Agent.Resending;

/// <summary>Which lines are to be sent again.</summary>
/// <param name="Path">The file, by the absolute path that it has now, or had when it was last seen or first read.</param>
/// <param name="From">A byte of the first line; null = the first that the agent read.</param>
/// <param name="To">One past a byte of the last line; null = all that is acked.</param>
/// <param name="IsDry">Whether it is only told what would be sent.</param>
public sealed record ResendRequest(string Path, long? From = null, long? To = null, bool IsDry = false);
