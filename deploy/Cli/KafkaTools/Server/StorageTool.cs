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

    private static readonly Option<bool> Standalone = new("--standalone", "-s") { Description = "One node, as without it" };
    private static readonly Option<bool> NoControllers = new("--no-initial-controllers", "-N") { Description = "No list of controllers, as without it" };
    private static readonly Option<string[]> Scram = new("--add-scram", "-S") { Description = "Refused: there are no users here yet", HelpName = "USER" };

    private static readonly Option[] Ignored =
    [
        new Option<string?>("--initial-controllers", "-I"), new Option<string?>("--release-version", "-r"), new Option<string[]>("--feature", "-f"),
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
            ClusterId, Config, IgnoreFormatted, Standalone, NoControllers, Scram,
        };
        foreach (Option option in Ignored)
        {
            option.Description = "Ignored with a warning";
            tool.Options.Add(option);
        }
        tool.Runs((parsed, _) =>
        {
            if (parsed.GetValue(Scram) is { Length: > 0 })
            {
                throw new KafkaToolException("--add-scram: there are no users here yet, so nothing would ask for the password");
            }
            foreach (Option option in Ignored.Where(option => parsed.GetResult(option) is { Implicit: false }))
            {
                Console.Error.WriteLine($"WARN {option.Name} is ignored: one node is its own controller, and the broker knows its features");
            }
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
