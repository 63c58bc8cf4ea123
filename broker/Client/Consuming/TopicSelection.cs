namespace LogPipeline.Client.Consuming;

/// <summary>What a consumer subscribes to: topics by name, and those whose names a pattern takes, which come and go.</summary>
/// <param name="Names">These are waited for where they do not exist.</param>
/// <param name="Pattern">True for the name of a topic that is wanted too; null = only the named ones. The broker's own topics are not asked about.</param>
public sealed record TopicSelection(IReadOnlyList<string> Names, Predicate<string>? Pattern = null);
