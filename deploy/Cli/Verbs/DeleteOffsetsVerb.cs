using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.OffsetResets;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe groups delete-offsets</c></summary>
internal static class DeleteOffsetsVerb
{
    public static Verb Create(Option<string?> bootstrap, Option<string?> config)
    {
        var name = new Argument<string>("GROUP") { Description = "The group" };
        var topics = new Option<string[]>("--topic", "-t") { Description = "A topic that no member is subscribed to, or topic:0,1; may be repeated", HelpName = "TOPIC", Required = true };
        var verb = new Verb("delete-offsets", "Delete a group's committed offsets of topics.", "logpipe groups delete-offsets readers --topic old_log") { name, topics };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, bootstrap, config);
            var admin = new AdminClient(cluster);
            string group = parsed.GetRequiredValue(name);
            IReadOnlyList<TopicPartition> partitions = await new OffsetReset(admin, Console.Error.WriteLine).ScopeAsync(group, parsed.GetRequiredValue(topics), stop);
            foreach ((TopicPartition partition, ErrorCode code) in await admin.DeleteOffsetsAsync(group, partitions, stop))
            {
                if (code != ErrorCode.None)
                {
                    throw new BrokerErrorException(code, string.Create(CultureInfo.InvariantCulture, $"{partition}: {code} (error {(short)code})"));
                }
            }
            Console.WriteLine($"{group}: deleted its offsets of {string.Join(", ", parsed.GetRequiredValue(topics))}");
            return Exit.Done;
        });
        return verb;
    }
}
