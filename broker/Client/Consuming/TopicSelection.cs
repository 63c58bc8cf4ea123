namespace LogPipeline.Client.Consuming;

/// <summary>What a consumer subscribes to: topics by name, and those whose names a pattern takes, which come and go.</summary>
/// <param name="Names">These are waited for where they do not exist.</param>
/// <param name="Pattern">True for the name of a topic that is wanted too; null = only the named ones.</param>
public sealed record TopicSelection(IReadOnlyList<string> Names, Predicate<string>? Pattern = null)
{
    /// <summary>The topics that are wanted, in ordinal order, each once.</summary>
    /// <param name="others">Names of topics that the pattern is asked about: not the broker's own.</param>
    public IReadOnlyList<string> Among(IEnumerable<string> others) =>
        [.. Names.Concat(Pattern is { } pattern ? others.Where(topic => pattern(topic)) : []).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
