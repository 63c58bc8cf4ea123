using System.Collections;
using System.CommandLine;
using LogPipeline.Broker;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Running;
using LogPipeline.Cli.Verbs;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.KafkaTools.Server;

/// <summary><c>kafka-server-start</c>: the broker, configured by Kafka's server.properties; over it the environment, over that <c>--override</c>.</summary>
internal static class ServerStartTool
{
    private static readonly RunningOptions Running = new();
    private static readonly Argument<string?> File = new("FILE") { Description = "A server.properties of Apache Kafka; may be left out where KAFKA_… variables say it all", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string[]> Override = new("--override") { Description = "A setting; may be repeated", HelpName = "KEY=VALUE" };

    public static Command Create()
    {
        var tool = new KafkaTool("server-start", "Run the broker with a server.properties of Apache Kafka (kafka-server-start).",
            "logpipe kafka server-start config/server.properties",
            "logpipe kafka server-start config/server.properties --override listeners=PLAINTEXT://127.0.0.1:9092 --override log.dirs=/srv/kafka")
        {
            File, Override,
        };
        Running.AddTo(tool, withConfig: false);
        tool.Runs(RunAsync);
        return tool;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        Dictionary<string, string> environment = ProcessEnvironment();
        Dictionary<string, string> ofEnvironment = ContainerEnvironment.Read(environment, Warn);
        if (parsed.GetValue(File) is null && ofEnvironment.Count == 0)
        {
            throw new KafkaToolException("USAGE: kafka-server-start [-daemon] server.properties [--override property=value]*");
        }
        Dictionary<string, string> settings = parsed.GetValue(File) is { } path ? JavaProperties.ReadFile(path) : new(StringComparer.Ordinal);
        foreach ((string name, string value) in ofEnvironment.Concat(JavaProperties.Pairs("--override", parsed.GetValue(Override))))
        {
            settings[name] = value;
        }
        BrokerOptions broker = ServerSettings.Read(settings, Warn);
        if (ContainerEnvironment.ClusterId(environment) is { } clusterId)
        {
            StorageTool.FormatOnce(broker, clusterId);
        }
        string node = broker.Settings.GetValueOrDefault("node.id", "1");
        var configuration = PipelineConfiguration.Read(ConfigurationFile.Read("", "command line", []));
        return NodeProcess.RunAsync(Running.Plan(parsed, configuration, "logpipe-broker") with
        {
            Broker = broker,
            Started = () => Console.WriteLine($"[KafkaRaftServer nodeId={node}] Kafka Server started (kafka.server.KafkaRaftServer)"), // what scripts wait for
        }, stop);
    }

    private static void Warn(string text) => Console.Error.WriteLine($"WARN {text}");

    private static Dictionary<string, string> ProcessEnvironment()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        }
        return variables;
    }
}
