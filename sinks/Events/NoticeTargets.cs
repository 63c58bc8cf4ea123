namespace LogPipeline.Sinks.Events;

/// <summary>Where notices for people go beside the log.</summary>
public sealed record NoticeTargets
{
    public static NoticeTargets None { get; } = new();

    /// <summary>Each gets a POST with the notice as JSON.</summary>
    public IReadOnlyList<Uri> Webhooks { get; init; } = [];

    /// <summary>A program and its arguments, run with the notice as JSON on its standard input; empty = none.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];
}
