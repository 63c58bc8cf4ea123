using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary>Reaches the cluster that a client verb means: <c>--bootstrap</c>, else what the configuration says, else this machine.</summary>
internal static class Brokers
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static ClusterClient Connect(ParseResult parsed, Option<string?> bootstrap, Option<string?> config, bool createsTopics = false)
        => Connect(Options(parsed.GetValue(bootstrap) ?? PipelineConfiguration.Load(parsed.GetValue(config)).ClientBootstrap, createsTopics));

    /// <summary>How a client verb reaches its cluster where nothing else is said.</summary>
    public static ClientOptions Options(string bootstrap, bool createsTopics) => new()
    {
        Bootstrap = bootstrap.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        ClientId = "logpipe-cli",
        ConnectTimeout = Patience,
        LookupTimeout = Patience,
        AutoCreateTopics = createsTopics,
    };

    public static ClusterClient Connect(ClientOptions options)
    {
        try
        {
            return new ClusterClient(options, new TcpConnector(), TimeProvider.System, Random.Shared);
        }
        catch (ArgumentException e)
        {
            throw new ConfigurationException($"{e.Message}; write it as host:port, such as 127.0.0.1:9092");
        }
    }
}
