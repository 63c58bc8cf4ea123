using System.CommandLine;

namespace LogPipeline.Cli.KafkaTools.Server;

/// <summary><c>zookeeper-server-start</c>: says that none is needed, so that a tutorial's next command can follow.</summary>
internal static class ZooKeeperStartTool
{
    public static Command Create()
    {
        var file = new Argument<string[]>("FILE") { Description = "Taken and not read", Arity = ArgumentArity.ZeroOrMore };
        var tool = new KafkaTool("zookeeper-server-start", "Nothing: there is no ZooKeeper (zookeeper-server-start).", "logpipe kafka zookeeper-server-start config/zookeeper.properties") { file };
        tool.Options.Add(new Option<bool>("-daemon") { Description = "Taken and without effect" });
        tool.Runs(static (_, _) =>
        {
            Console.WriteLine("No ZooKeeper is needed: the broker keeps its metadata itself. Go on with kafka-server-start.");
            return Task.FromResult(Exit.Done);
        });
        return tool;
    }
}
