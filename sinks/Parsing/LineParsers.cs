using LogPipeline.Files;

namespace LogPipeline.Sinks.Parsing;

/// <summary>Parsers by their configured names.</summary>
public static class LineParsers
{
    private static readonly (string Name, string Takes, Func<ParserOptions, ILineParser> Make)[] All =
    [
        ("combined", "", _ => new AccessLogParser("combined")),
        ("common", "", _ => new AccessLogParser("common")),
        ("vhost_combined", "", _ => new AccessLogParser("vhost_combined")),
        ("nginx", "format", options => new NginxFormatParser(options)),
        ("json", "columns time", options => new JsonParser(options)),
        ("logfmt", "columns time", options => new LogfmtParser(options)),
        ("syslog", "", _ => new SyslogParser()),
        ("iis", "format", options => new IisParser(options)),
        ("regex", "pattern columns time", options => new RegexParser(options)),
        ("stacktrace", "", _ => new StackTraceParser()),
        ("none", "", _ => new NoParser()),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(one => one.Name)];

    /// <summary>Makes the parser; its type alone says it where it takes no more.</summary>
    /// <exception cref="SinkConfigurationException">A setting is wrong: says which, and the nearest that is right.</exception>
    public static ILineParser Named(ParserOptions options)
    {
        int at = Array.FindIndex(All, one => one.Name == options.Type);
        if (at < 0)
        {
            throw new SinkConfigurationException($"parser {options.Type} is unknown: "
                + (NearestName.Find(options.Type, Names) is { } near ? $"did you mean {near}?" : $"write {string.Join(", ", Names)}"));
        }
        string[] takes = All[at].Takes.Split(' ');
        foreach ((string key, bool isSet) in new[]
        {
            ("format", options.Format is not null), ("pattern", options.Pattern is not null), ("columns", options.Columns.Count > 0),
            ("time", options.TimeField is not null || options.TimeFormat is not null),
        })
        {
            if (isSet && !takes.Contains(key))
            {
                throw new SinkConfigurationException($"parser {options.Type} takes no `{key}`{(All[at].Takes.Length > 0 ? $", but {string.Join(" and ", takes)}" : "")}");
            }
        }
        ILineParser parser = All[at].Make(options);
        return options.Where is { } where ? new FilteredParser(parser, where) : parser;
    }
}
