using LogPipeline.Agent.Shaping;
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
