using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Agent.Configuration;

/// <summary>What a person should know of a configuration that is not wrong.</summary>
public static class ConfigurationNotes
{
    /// <summary>One line for each.</summary>
    public static IEnumerable<string> Of(AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (InputOptions input in options.Inputs)
        {
            foreach (PatternRedaction redaction in input.Redact.OfType<PatternRedaction>().Where(redaction => redaction.Pattern.MatchBytesMax > input.MaxLineBytes))
            {
                yield return $"{(input.Origin.Length > 0 ? $"{input.Origin}: " : "")}redact '{redaction.Pattern.Expression}' may match more than max_line_bytes"
                    + $" ({Quantity.Format(input.MaxLineBytes)}): where it does, the rest of the line is left out, and told. A bound such as \\S{{1,200}} ends a match before that";
            }
        }
    }
}
