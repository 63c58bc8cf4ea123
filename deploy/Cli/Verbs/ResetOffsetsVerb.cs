using System.CommandLine;
using LogPipeline.Cli.OffsetResets;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe groups reset-offsets</c>: shows the offsets that a group would have, and sets them with <c>--execute</c>.</summary>
internal static class ResetOffsetsVerb
{
    public static Verb Create(Option<string?> bootstrap, Option<string?> config)
    {
        var name = new Argument<string>("GROUP") { Description = "A group without members" };
        var topics = new Option<string[]>("--topic", "-t") { Description = "A topic, or topic:0,1 for some of its partitions; may be repeated; without it all that the group has offsets of", HelpName = "TOPIC" };
        var execute = new Option<bool>("--execute") { Description = "Set the offsets; without it they are only shown" };
        var to = new ResetOptions();
        var verb = new Verb("reset-offsets", "Set a group's committed offsets: where its members go on. A sink goes on by its own ledger and does not read them.",
            "logpipe groups reset-offsets readers --to-earliest",
            "logpipe groups reset-offsets readers --topic web_log:0,1 --by-duration 2h --execute") { name, topics, execute };
        foreach (Option option in to.All)
        {
            verb.Options.Add(option);
        }
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, bootstrap, config);
            string[]? scope = parsed.GetValue(topics) is { Length: > 0 } some ? some : null;
            try
            {
                return await ResetAsync(new AdminClient(cluster), parsed.GetRequiredValue(name), scope, to.Target(parsed), parsed.GetValue(execute), stop);
            }
            catch (InvalidDataException e)
            {
                throw new ConfigurationException(e.Message);
            }
        });
        return verb;
    }

    private static async Task<int> ResetAsync(AdminClient admin, string group, string[]? scope, ResetTarget target, bool executes, CancellationToken stop)
    {
        if (OffsetReset.WhyNot(await admin.DescribeGroupAsync(group, stop)) is { } reason)
        {
            throw new ConfigurationException(reason);
        }
        var reset = new OffsetReset(admin, Console.Error.WriteLine);
        var before = (await admin.GroupOffsetsAsync(group, stop)).ToDictionary(static entry => entry.Key, static entry => entry.Value.Offset);
        IReadOnlyList<ResetLine> plan = await reset.PlanAsync(group, await reset.ScopeAsync(group, scope, stop), target, stop);
        var table = new TextTable("TOPIC", "PARTITION", "COMMITTED", "NEW");
        foreach (ResetLine line in plan)
        {
            table.Add(line.Partition.Topic, line.Partition.Partition, before.TryGetValue(line.Partition, out long offset) ? offset : null, line.Offset);
        }
        table.Print();
        if (executes)
        {
            await reset.ApplyAsync(group, plan, stop);
        }
        else
        {
            Console.Error.WriteLine("nothing was changed: --execute sets these offsets");
        }
        return Exit.Done;
    }
}
