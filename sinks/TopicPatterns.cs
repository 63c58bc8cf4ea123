using System.Text.RegularExpressions;
using LogPipeline.Client.Consuming;

namespace LogPipeline.Sinks;

/// <summary>
/// A sink's <c>topics</c>: names, <c>app_*</c> with the wildcards <c>*</c> and <c>?</c>, and <c>/app_[0-9]+/</c>, a regular expression for the
/// whole name. Patterns take topics as they appear, but neither the broker's own nor those in which agents tell their status.
/// </summary>
public static class TopicPatterns
{
    private const string OwnTopics = "logpipe_";

    private static readonly TimeSpan MatchMax = TimeSpan.FromSeconds(1);

    /// <exception cref="SinkConfigurationException">An entry is neither a topic's name nor a pattern: says what to write.</exception>
    public static TopicSelection Of(IReadOnlyList<string> topics)
    {
        List<Regex> patterns = [.. topics.Where(static topic => !IsName(topic)).Select(PatternOf)];
        return new TopicSelection(
            [.. topics.Where(IsName)],
            patterns.Count == 0 ? null : topic => !topic.StartsWith(OwnTopics, StringComparison.Ordinal) && patterns.Exists(pattern => pattern.IsMatch(topic)));
    }

    /// <summary>Whether it can be a topic's name: letters, digits, dot, underscore, hyphen.</summary>
    private static bool IsName(string topic) => topic.Length > 0 && topic.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static Regex PatternOf(string topic)
    {
        bool isExpression = topic.Length > 2 && topic[0] == '/' && topic[^1] == '/';
        string expression = isExpression ? topic[1..^1] : WildcardsOf(topic);
        try
        {
            return new Regex($"^(?:{expression})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchMax);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw new SinkConfigurationException($"topics: {topic} is not a regular expression that can be used: {error.Message}");
        }
    }

    private static string WildcardsOf(string topic)
    {
        // A dot is a part of many topics' names, so this would match less than its writer meant.
        if (topic.Contains(".*", StringComparison.Ordinal) || "[]()+|^$\\{}".Any(topic.Contains))
        {
            throw new SinkConfigurationException(
                $"topics: {topic} looks like a regular expression: write \"/{topic.Trim('/', '^', '$')}/\", or use the wildcards * and ? alone, such as {topic.Split('.', '[', '(', '^', '\\', '{')[0]}*");
        }
        if (!IsName(topic.Replace('*', '_').Replace('?', '_')))
        {
            throw new SinkConfigurationException($"topics: '{topic}' is neither a topic's name (letters, digits, . _ -) nor a pattern such as app_* or \"/app_[0-9]+/\"");
        }
        return Regex.Escape(topic).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal);
    }
}
