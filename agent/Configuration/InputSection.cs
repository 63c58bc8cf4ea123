using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Tailing;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Agent.Configuration;

/// <summary>Binds one item of <c>agent.inputs</c>.</summary>
internal static class InputSection
{
    private const int LineBytesMax = 16 << 20;

    /// <exception cref="ConfigurationException">A key is unknown, missing or of the wrong kind.</exception>
    public static InputOptions Read(ConfigurationSection section)
    {
        var defaults = new InputOptions();
        InputOptions input = defaults with
        {
            Source = SourceSection.Read(section),
            Origin = section.OriginOf("paths"),
            ExcludeOrigin = section.OriginOf("exclude"),
            Paths = [.. section.Texts("paths", []).Select(Path.GetFullPath)],
            Exclude = section.Texts("exclude", defaults.Exclude),
            Topic = section.Required("topic", "the topic that the lines go to, such as web_log"),
            ReadFrom = section.Choice("read_from", defaults.ReadFrom, ("beginning", ReadFrom.Beginning), ("end", ReadFrom.End)),
            KeyPattern = section.IsGroup("key") ? ShapingSection.ReadKey(section.Section("key")) : null,
            Key = section.IsGroup("key") ? RecordKey.Pattern : section.Choice("key", defaults.Key, ("none", RecordKey.None), ("host", RecordKey.Host), ("file", RecordKey.File)),
            MaxLineBytes = (int)section.Size("max_line_bytes", defaults.MaxLineBytes, 1024, LineBytesMax),
            Partition = section.Choice("partition", defaults.Partition, ("file", PartitionRule.File), ("host", PartitionRule.Host)),
            Encoding = section.Choice("encoding", defaults.Encoding, EncodingNames.All),
            Format = section.Choice("format", defaults.Format,
                ("plain", LineFormat.Plain), ("docker", LineFormat.Docker), ("cri", LineFormat.Cri), ("container", LineFormat.Container)),
            Multiline = section.SectionOrNull("multiline") is { } multiline ? ShapingSection.ReadMultiline(multiline) : null,
        };
        input = ShapingSection.ReadChanges(section, input);
        Refuse(section, "paths", section.Texts("paths", []), static path => path.StartsWith('~') || NamesVariable(path),
            "is not expanded here: write the whole path");
        Refuse(section, "exclude", input.Exclude, static path => path.Contains('/', StringComparison.Ordinal) && path[0] != '/',
            "can match nothing: write a whole path, or a file's name alone");
        if (input.Paths.Count == 0 && input.Source is null)
        {
            section.Missing("paths", "name the files, such as [\"/var/log/nginx/*access.log*\"], or give syslog, metrics or journal");
        }
        if (input is { Source: not null, Encoding: TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian })
        {
            throw new ConfigurationException(
                $"{section.OriginOf("encoding")}: {section.Name("encoding")}: syslog, journal and metrics are never UTF-16: leave encoding out");
        }
        CheckTopic(section, input);
        section.Close();
        return input;
    }

    private static void CheckTopic(ConfigurationSection section, InputOptions input)
    {
        try
        {
            TopicTemplate.Check(input);
        }
        catch (ArgumentException wrong)
        {
            throw new ConfigurationException($"{section.OriginOf("topic")}: {section.Name("topic")}: {wrong.Message}");
        }
    }

    private static bool NamesVariable(string path) =>
        path.IndexOf('$', StringComparison.Ordinal) is >= 0 and int at && at + 1 < path.Length && (path[at + 1] == '{' || char.IsAsciiLetter(path[at + 1]));

    private static void Refuse(ConfigurationSection section, string key, IReadOnlyList<string> paths, Func<string, bool> isWrong, string why)
    {
        if (paths.FirstOrDefault(isWrong) is string wrong)
        {
            throw new ConfigurationException($"{section.OriginOf(key)}: {section.Name(key)}: '{wrong}' {why}");
        }
    }
}
