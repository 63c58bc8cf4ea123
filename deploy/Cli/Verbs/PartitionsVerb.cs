using System.CommandLine;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe partitions add</c></summary>
internal static class PartitionsVerb
{
    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create() => new Verb("partitions", "Add partitions to a topic.", "logpipe partitions add web_log 4") { Add() };

    private static Verb Add()
    {
        var name = new Argument<string>("TOPIC") { Description = "The topic" };
        var count = new Argument<int>("COUNT") { Description = "How many more" };
        var verb = new Verb("add", "Add partitions. Keys may go to other partitions from then on.", "logpipe partitions add web_log 4") { name, count, Bootstrap, Config };
        verb.Does(async (parsed, stop) =>
        {
            int more = parsed.GetValue(count);
            if (more < 1)
            {
                throw new ConfigurationException($"{more} partitions cannot be added: give 1 or more");
            }
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            var admin = new AdminClient(cluster);
            TopicMetadata topic = await admin.DescribeTopicAsync(parsed.GetRequiredValue(name), stop);
            await admin.CreatePartitionsAsync(topic.Name, topic.Partitions.Count + more, stop);
            Console.WriteLine($"{topic.Name}: {topic.Partitions.Count + more} partitions");
            return Exit.Done;
        });
        return verb;
    }
}
