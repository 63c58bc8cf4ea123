using System.CommandLine;
using LogPipeline.Cli.Verbs;
using LogPipeline.Client.Metadata;
using LogPipeline.Cli.Configuration;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>
/// How a Kafka command finds its cluster: <c>--bootstrap-server</c>, or <c>--broker-list</c> as it was called before. <c>--zookeeper</c> of
/// the oldest tutorials is ignored with a warning: there is no ZooKeeper, and then this machine's broker is asked.
/// </summary>
internal sealed class ClusterOptions
{
    private readonly Option<string?> _bootstrap = new("--bootstrap-server") { Description = "Brokers to ask first; without it 127.0.0.1:9092", HelpName = "HOST:PORT" };
    private readonly Option<string?> _brokerList = new("--broker-list") { Description = "The older name of --bootstrap-server", HelpName = "HOST:PORT" };
    private readonly Option<string?> _zooKeeper = new("--zookeeper") { Description = "Ignored with a warning: there is no ZooKeeper", HelpName = "HOST:PORT" };
    private readonly Option<string?> _file;
    private readonly Option<string[]> _properties;
    private readonly IReadOnlyCollection<string> _read;

    /// <param name="file">Names of the option that gives a file with the client's properties.</param>
    /// <param name="property">Names of the option that gives one of the client's properties; none where Kafka's command has no such option.</param>
    /// <param name="read">The properties that the tool reads, beside those of all clients; of others it warns.</param>
    public ClusterOptions(string[]? file = null, string[]? property = null, IReadOnlyCollection<string>? read = null)
    {
        _read = read ?? [];
        string[] fileNames = file ?? ["--command-config"];
        _file = new(fileNames[0], fileNames[1..]) { Description = "A file of client properties", HelpName = "FILE" };
        string[] propertyNames = property ?? ["--command-property"];
        _properties = new(propertyNames[0], propertyNames[1..]) { Description = "One client property; may be repeated", HelpName = "KEY=VALUE", AllowMultipleArgumentsPerToken = true };
    }

    public void AddTo(Command tool)
    {
        tool.Options.Add(_bootstrap);
        tool.Options.Add(_brokerList);
        tool.Options.Add(_zooKeeper);
        tool.Options.Add(_file);
        tool.Options.Add(_properties);
    }

    /// <summary>The client's properties, of the file and of the command line.</summary>
    /// <exception cref="KafkaToolException">The file cannot be read, or a property asks for what is not there.</exception>
    public IReadOnlyDictionary<string, string> Properties(ParseResult parsed)
    {
        Dictionary<string, string> properties = parsed.GetValue(_file) is { } path ? JavaProperties.ReadFile(path) : new(StringComparer.Ordinal);
        foreach ((string name, string value) in JavaProperties.Pairs(_properties.Name, parsed.GetValue(_properties)))
        {
            properties[name] = value;
        }
        if (properties.GetValueOrDefault("security.protocol", "PLAINTEXT") is var protocol && protocol != "PLAINTEXT")
        {
            throw new KafkaToolException($"security.protocol={protocol}: only PLAINTEXT is spoken yet", "org.apache.kafka.common.config.ConfigException");
        }
        return properties;
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="createsTopics">Whether asking for a topic that is not there may create it.</param>
    public ClusterClient Connect(ParseResult parsed, bool createsTopics = false) => Connect(parsed, Properties(parsed), createsTopics);

    /// <param name="parsed">The command line.</param>
    /// <param name="properties">The client's properties, with what the tool's own options say.</param>
    /// <param name="createsTopics">Whether asking for a topic that is not there may create it.</param>
    public ClusterClient Connect(ParseResult parsed, IReadOnlyDictionary<string, string> properties, bool createsTopics = false)
    {
        ClientProperties.WarnOfOthers(properties.Keys, _read);
        string? bootstrap = Bootstrap(parsed, properties);
        if (parsed.GetValue(_zooKeeper) is { } zooKeeper)
        {
            Console.Error.WriteLine($"WARN --zookeeper {zooKeeper} is ignored: there is no ZooKeeper here. "
                + $"{(bootstrap is null ? "Asking the broker" : "The broker is")} {bootstrap ?? PipelineConfiguration.DefaultBootstrap}; --bootstrap-server names another.");
        }
        return Brokers.Connect(ClientProperties.Apply(Brokers.Options(bootstrap ?? PipelineConfiguration.DefaultBootstrap, createsTopics), properties));
    }

    private string? Bootstrap(ParseResult parsed, IReadOnlyDictionary<string, string> properties) =>
        parsed.GetValue(_bootstrap) ?? parsed.GetValue(_brokerList) ?? properties.GetValueOrDefault("bootstrap.servers");
}
