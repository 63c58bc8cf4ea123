using LogPipeline.Protocol;

namespace LogPipeline.Client.Admin;

/// <summary>What became of one of several things asked for.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Error">None, or why it was not done.</param>
/// <param name="Message">The broker's words: the reason, or a remark on what was done; null when it says nothing.</param>
public readonly record struct Outcome(string Name, ErrorCode Error, string? Message);
