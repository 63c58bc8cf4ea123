using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Agent.Configuration;

/// <summary>Binds what an input says of the shape of its lines.</summary>
internal static class ShapingSection
{
    private const int LinesMax = 10_000;

    public static MultilineOptions ReadMultiline(ConfigurationSection section)
    {
        var defaults = new MultilineOptions();
        MultilineOptions options = defaults with
        {
            Start = ReadPattern(section, "start"),
            Continue = ReadPattern(section, "continue"),
            Preset = section.Choice("preset", defaults.Preset,
                ("auto", TraceKinds.All), ("dotnet", TraceKinds.DotNet), ("java", TraceKinds.Java), ("python", TraceKinds.Python),
                ("go", TraceKinds.Go), ("node", TraceKinds.Node)),
            Timeout = section.Duration("timeout", defaults.Timeout),
            MaxLines = section.Count("max_lines", defaults.MaxLines, 2, LinesMax),
        };
        section.Close();
        int ways = (options.Start is null ? 0 : 1) + (options.Continue is null ? 0 : 1) + (options.Preset == TraceKinds.None ? 0 : 1);
        return ways == 1 ? options : throw new ConfigurationException(
            $"{section.Origin}: {section.Path} needs one of start, continue and preset, such as {{ preset: dotnet }} or {{ start: '^[0-9]{{4}}-' }}; it has {ways}");
    }

    /// <summary>Adds what is left out, replaced and taken out of lines.</summary>
    public static InputOptions ReadChanges(ConfigurationSection section, InputOptions input) => input with
    {
        Include = ReadPatterns(section, "include"),
        ExcludeLines = ReadPatterns(section, "exclude_lines"),
        Redact = [.. section.Items("redact").Select((item, i) => item.Section is { } own ? ReadRedaction(own) : Named(section, $"redact[{i}]", item.Text!))],
        RateLimit = section.SectionOrNull("rate_limit") is { } limit ? ReadLimit(limit) : null,
        Labels = section.SectionOrNull("labels") is { } labels ? ReadLabels(labels) : [],
        Timestamp = section.Choice("timestamp", TimeForm.None, ("none", TimeForm.None), ("clf", TimeForm.Clf), ("iso8601", TimeForm.Iso8601),
            ("rfc3164", TimeForm.Rfc3164), ("epoch", TimeForm.Epoch)),
    };

    /// <summary>The expression of <c>key: { pattern: … }</c>.</summary>
    public static LinePattern ReadKey(ConfigurationSection section)
    {
        LinePattern pattern = Pattern(section, "pattern", section.Required("pattern", "what a line's key is taken by, such as 'user=(\\w+)'"));
        section.Close();
        return pattern;
    }

    private static IRedaction Named(ConfigurationSection section, string key, string name) => name switch
    {
        "credit_card" => new CreditCards(),
        "email" => new EmailAddresses(),
        "bearer" => new BearerTokens(),
        _ => throw new ConfigurationException(
            $"{section.OriginOf("redact")}: {section.Name(key)} should be credit_card, email, bearer or {{ pattern: REGEX, replace: TEXT }}, not '{name}'"),
    };

    private static PatternRedaction ReadRedaction(ConfigurationSection section)
    {
        var redaction = new PatternRedaction(
            Pattern(section, "pattern", section.Required("pattern", "what is replaced, such as 'password=\\S+'")), section.Text("replace", "[redacted]"));
        section.Close();
        return redaction;
    }

    private static RateLimit ReadLimit(ConfigurationSection section)
    {
        int rate = section.Count("lines_per_second", 0, 1);
        if (rate == 0)
        {
            section.Missing("lines_per_second", "how many lines of a file are sent in a second, such as 1000");
        }
        var limit = new RateLimit(rate, section.Count("burst", Math.Max(1, rate), 1),
            section.Choice("policy", RatePolicy.Wait, ("wait", RatePolicy.Wait), ("drop", RatePolicy.Drop)));
        section.Close();
        return limit;
    }

    private static IReadOnlyList<KeyValuePair<string, string>> ReadLabels(ConfigurationSection section)
    {
        IReadOnlyList<KeyValuePair<string, string>> labels = section.Pairs();
        foreach ((string name, _) in labels)
        {
            if (name is "host" or "file" or "pos" or "fence" or "stream")
            {
                throw new ConfigurationException($"{section.OriginOf(name)}: {section.Name(name)}: a label cannot have this name, which records have already");
            }
        }
        return labels;
    }

    private static IReadOnlyList<LinePattern> ReadPatterns(ConfigurationSection section, string key) =>
        [.. section.Texts(key, []).Select(text => Pattern(section, key, text))];

    /// <summary>A regular expression; null when the key is left out.</summary>
    private static LinePattern? ReadPattern(ConfigurationSection section, string key) =>
        section.TextOrNull(key) is string text ? Pattern(section, key, text) : null;

    private static LinePattern Pattern(ConfigurationSection section, string key, string text)
    {
        try
        {
            return new LinePattern(text);
        }
        catch (ArgumentException wrong)
        {
            throw new ConfigurationException($"{section.OriginOf(key)}: {section.Name(key)}: '{text}' is no regular expression that can be used: {wrong.Message}");
        }
    }
}
