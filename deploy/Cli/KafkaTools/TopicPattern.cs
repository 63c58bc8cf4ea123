using System.Text.RegularExpressions;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>Topics as Kafka's commands name them: a regular expression for whole names, or several with commas.</summary>
internal sealed class TopicPattern
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Regex _expression;

    /// <exception cref="KafkaToolException">It is no regular expression.</exception>
    public TopicPattern(string text)
    {
        string alternatives = text.Trim().Replace(',', '|').Replace(" ", "", StringComparison.Ordinal).Trim('"', '\'');
        try
        {
            _expression = new Regex($"^(?:{alternatives})$", RegexOptions.CultureInvariant, Patience);
        }
        catch (ArgumentException e)
        {
            throw new KafkaToolException($"{text} is an invalid regex: {e.Message}", "java.lang.RuntimeException");
        }
    }

    public bool Matches(string topic) => _expression.IsMatch(topic);
}
