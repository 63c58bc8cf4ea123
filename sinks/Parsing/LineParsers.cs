namespace LogPipeline.Sinks.Parsing;

/// <summary>Parsers by their configured names.</summary>
public static class LineParsers
{
    /// <exception cref="SinkConfigurationException">The name is unknown.</exception>
    public static ILineParser Named(string name) => name switch
    {
        "none" => new NoParser(),
        "combined" => new CombinedParser(),
        _ => throw new SinkConfigurationException($"parser {name} is unknown: write combined or none"),
    };
}
