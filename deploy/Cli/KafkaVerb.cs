using System.CommandLine;
using LogPipeline.Cli.KafkaTools;
using LogPipeline.Cli.KafkaTools.Server;

namespace LogPipeline.Cli;

/// <summary><c>logpipe kafka TOOL</c>: Apache Kafka's commands, for fingers and scripts that know them. The scripts in <c>deploy/bin</c> lead here.</summary>
internal static class KafkaVerb
{
    private const string RunClass = "run-class";

    public static Command Create() => new Verb("kafka", "Apache Kafka's command-line tools by their own names and options; also as deploy/bin/kafka-topics and so on.",
        "logpipe kafka topics --list --bootstrap-server 127.0.0.1:9092",
        "logpipe kafka console-consumer --topic web_log --from-beginning --max-messages 3")
    {
        ServerStartTool.Create(), StorageTool.Create(), ZooKeeperStartTool.Create(), TopicsTool.Create(), ConsoleProducerTool.Create(), ConsoleConsumerTool.Create(), ConsumerGroupsTool.Create(), ConfigsTool.Create(),
        GetOffsetsTool.Create(), DeleteRecordsTool.Create(), BrokerApiVersionsTool.Create(), ClusterTool.Create(), NoSuchClass(),
    };

    /// <summary>
    /// Replaces <c>kafka run-class CLASS</c> by the tool that the Java class is, so that its options are read as the tool's:
    /// <c>kafka.admin.TopicCommand</c>, <c>org.apache.kafka.tools.TopicCommand</c> and whatever package a version of Kafka had it in.
    /// </summary>
    public static string[] WithoutClassName(string[] args) => args is not ["kafka", RunClass, string javaClass, .. string[] rest] ? args
        : ToolOf(javaClass) is { } tool ? ["kafka", tool, .. rest]
        : args[..3];

    // Reached with a class that no tool has.
    private static KafkaTool NoSuchClass()
    {
        var name = new Argument<string?>("CLASS") { Description = "Such as kafka.admin.TopicCommand, with the options of kafka-topics", Arity = ArgumentArity.ZeroOrOne };
        var tool = new KafkaTool(RunClass, "Run a tool by the name of its Java class (kafka-run-class).",
            "logpipe kafka run-class kafka.admin.TopicCommand") { name };
        tool.Runs((parsed, _) => throw new KafkaToolException(
            $"Could not find or load main class {parsed.GetValue(name)}: there is no Java here, and none of logpipe's tools is called so", "java.lang.ClassNotFoundException"));
        return tool;
    }

    private static string? ToolOf(string javaClass) => javaClass[(javaClass.LastIndexOf('.') + 1)..] switch
    {
        "TopicCommand" => "topics",
        "ConsoleProducer" => "console-producer",
        "ConsoleConsumer" => "console-consumer",
        "ConsumerGroupCommand" => "consumer-groups",
        "ConfigCommand" => "configs",
        "GetOffsetShell" => "get-offsets",
        "DeleteRecordsCommand" => "delete-records",
        "BrokerApiVersionsCommand" => "broker-api-versions",
        "ClusterTool" => "cluster",
        "StorageTool" => "storage",
        "Kafka" => "server-start",
        _ => null,
    };
}
