using LogPipeline.Files;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;

namespace LogPipeline.Cli.Configuration;

/// <summary>Picks sinks out of a configuration by name.</summary>
internal static class ConfiguredSinks
{
    /// <summary>The sinks named, or all of them when no name is given.</summary>
    public static IReadOnlyList<SinkOptions> Named(PipelineConfiguration configuration, IReadOnlyList<string> names)
    {
        if (configuration.Sinks.Count == 0)
        {
            throw new ConfigurationException("the configuration has no 'sinks:'; name a file with --config, or copy one from deploy/config/logpipe.yaml");
        }
        return names.Count == 0 ? configuration.Sinks : [.. names.Distinct().Select(name => Named(configuration, name))];
    }

    /// <summary>The sink named; without a name the first one whose rows can be queried.</summary>
    public static SinkOptions Readable(PipelineConfiguration configuration, string? name)
        => name is not null ? Named(configuration, name)
            : Named(configuration, []).FirstOrDefault(sink => sink.Files is null)
                ?? throw new ConfigurationException("no sink of the configuration writes to a database; name one with --sink");

    private static SinkOptions Named(PipelineConfiguration configuration, string name)
        => configuration.Sinks.FirstOrDefault(sink => sink.Name == name)
            ?? throw new ConfigurationException($"there is no sink '{name}'; the configuration has {string.Join(", ", configuration.Sinks.Select(sink => sink.Name))}"
                + (NearestName.Find(name, configuration.Sinks.Select(sink => sink.Name)) is { } near ? $"; did you mean '{near}'?" : ""));
}
