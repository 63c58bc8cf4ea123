using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using LogPipeline.Broker;
using LogPipeline.Files;

namespace LogPipeline.Cli.KafkaTools.Server;

/// <summary>
/// <c>kafka-storage</c>: gives a data directory its cluster id before the first start. A start without it does the same with an id of its own.
/// </summary>
internal static class StorageTool
{
    private const string Identity = "meta.properties";
    private static readonly Option<string> ClusterId = new("--cluster-id", "-t") { Description = "22 characters, as random-uuid prints them", HelpName = "ID", Required = true };
    private static readonly Option<string> Config = new("--config", "-c") { Description = "The server.properties that names the directory", HelpName = "FILE", Required = true };
    private static readonly Option<bool> IgnoreFormatted = new("--ignore-formatted", "-g") { Description = "A directory that has an id is well" };

    private static readonly Option[] Ignored =
    [
        new Option<bool>("--standalone", "-s"), new Option<bool>("--no-initial-controllers", "-N"), new Option<string?>("--initial-controllers", "-I"),
        new Option<string?>("--release-version", "-r"), new Option<string?>("--feature", "-f"), new Option<string?>("--add-scram", "-S"),
    ];

    public static Command Create()
    {
        var storage = new Verb("storage", "Give a data directory its cluster id (kafka-storage).", "logpipe kafka storage random-uuid") { RandomUuid(), Format() };
        return storage;
    }

    /// <summary>Gives the directory this id where it has none yet; a start refuses one that differs from what it has.</summary>
    public static bool FormatOnce(BrokerOptions broker, string clusterId)
    {
        var files = new OsFileSystem();
        string path = $"{broker.DataDirectory}/{Identity}";
        if (files.FileExists(path))
        {
            return false;
        }
        files.CreateDirectory(broker.DataDirectory);
        // Version 1 is what Kafka writes and what a start here takes over.
        string node = broker.Settings.GetValueOrDefault("node.id", "1");
        AtomicFile.Replace(files, path, Encoding.UTF8.GetBytes($"version=1\ncluster.id={clusterId}\nnode.id={node}\n"));
        return true;
    }

    private static KafkaTool RandomUuid()
    {
        var tool = new KafkaTool("random-uuid", "Print a new cluster id.", "logpipe kafka storage random-uuid");
        tool.Runs(static (_, _) =>
        {
            Console.WriteLine(NewId());
            return Task.FromResult(Exit.Done);
        });
        return tool;
    }

    private static KafkaTool Format()
    {
        var tool = new KafkaTool("format", "Make the data directory and give it its cluster id.",
            "logpipe kafka storage format --standalone -t MkU3OEVBNTcwNTJENDM2Qg -c config/server.properties")
        {
            ClusterId, Config, IgnoreFormatted,
        };
        foreach (Option option in Ignored)
        {
            option.Description = "Taken and without effect";
            tool.Options.Add(option);
        }
        tool.Runs((parsed, _) =>
        {
            BrokerOptions broker = ServerSettings.Read(JavaProperties.ReadFile(parsed.GetRequiredValue(Config)), static text => Console.Error.WriteLine($"WARN {text}"));
            if (FormatOnce(broker, parsed.GetRequiredValue(ClusterId)))
            {
                Console.WriteLine($"Formatting {broker.DataDirectory} with cluster id {parsed.GetValue(ClusterId)}.");
            }
            else if (!parsed.GetValue(IgnoreFormatted))
            {
                throw new KafkaToolException($"Log directory {broker.DataDirectory} is already formatted. Use --ignore-formatted to ignore this directory and format the others.",
                    "org.apache.kafka.server.util.TerseFailure");
            }
            else
            {
                Console.WriteLine($"{broker.DataDirectory} is formatted already.");
            }
            return Task.FromResult(Exit.Done);
        });
        return tool;
    }

    // 16 random bytes as base64 for URLs; one that begins with a hyphen would look like an option.
    private static string NewId()
    {
        while (true)
        {
            string id = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
            if (id[0] != '-')
            {
                return id;
            }
        }
    }
}
