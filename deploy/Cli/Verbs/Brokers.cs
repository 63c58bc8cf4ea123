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
        => Connect(parsed.GetValue(bootstrap) ?? PipelineConfiguration.Load(parsed.GetValue(config)).ClientBootstrap, createsTopics);

    public static ClusterClient Connect(string bootstrap, bool createsTopics = false)
    {
        var options = new ClientOptions
        {
            Bootstrap = bootstrap.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            ClientId = "logpipe-cli",
            ConnectTimeout = Patience,
            LookupTimeout = Patience,
            AutoCreateTopics = createsTopics,
        };
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
