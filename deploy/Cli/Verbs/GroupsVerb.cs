using System.CommandLine;
using LogPipeline.Cli.Printing;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe groups list|describe|reset-offsets|delete|delete-offsets</c></summary>
internal static class GroupsVerb
{
    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var groups = new Verb("groups", "List, describe, reset and delete consumer groups: members, committed offsets and lag.",
            "logpipe groups list",
            "logpipe groups describe web_log")
        {
            List(), Describe(), ResetOffsetsVerb.Create(Bootstrap, Config), Delete(), DeleteOffsetsVerb.Create(Bootstrap, Config),
        };
        foreach (Command verb in groups.Subcommands)
        {
            verb.Options.Add(Bootstrap);
            verb.Options.Add(Config);
        }
        return groups;
    }

    private static Verb List()
    {
        var verb = new Verb("list", "List consumer groups.", "logpipe groups list --bootstrap 127.0.0.1:9092");
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            var table = new TextTable("GROUP", "STATE", "TYPE");
            foreach (GroupListing group in await new AdminClient(cluster).ListGroupsAsync(stop))
            {
                table.Add(group.GroupId, group.State, group.ProtocolType);
            }
            table.Print();
            return Exit.Done;
        });
        return verb;
    }

    private static Verb Describe()
    {
        var names = new Argument<string[]>("GROUP") { Description = "One or more groups", Arity = ArgumentArity.OneOrMore };
        var verb = new Verb("describe", "Show a group's members and, for each partition, committed offset, end and lag.", "logpipe groups describe web_log") { names };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            foreach (string? name in parsed.GetRequiredValue(names))
            {
                await DescribeAsync(new AdminClient(cluster), name, stop);
            }
            return Exit.Done;
        });
        return verb;
    }

    private static Verb Delete()
    {
        var names = new Argument<string[]>("GROUP") { Description = "One or more groups without members", Arity = ArgumentArity.OneOrMore };
        var verb = new Verb("delete", "Delete groups and their committed offsets.", "logpipe groups delete old_readers") { names };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            foreach (string name in parsed.GetRequiredValue(names))
            {
                await new AdminClient(cluster).DeleteGroupAsync(name, stop);
                Console.WriteLine($"deleted {name}");
            }
            return Exit.Done;
        });
        return verb;
    }

    private static async Task DescribeAsync(AdminClient admin, string name, CancellationToken stop)
    {
        GroupDescription group = await admin.DescribeGroupAsync(name, stop);
        var committed = (await admin.GroupOffsetsAsync(name, stop)).ToDictionary(entry => entry.Key, entry => entry.Value.Offset);
        var owners = group.Members.SelectMany(member => member.Assignment.Select(partition => (partition, member))).ToDictionary(p => p.partition, p => p.member);
        Console.WriteLine($"{group.GroupId}: {group.State}, {group.Members.Count} member{(group.Members.Count == 1 ? "" : "s")}"
            + (group.Protocol.Length > 0 ? $", assigned by {group.Protocol}" : ""));
        var table = new TextTable("TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER", "HOST");
        foreach (TopicPartition partition in committed.Keys.Union(owners.Keys).OrderBy(p => p.Topic, StringComparer.Ordinal).ThenBy(p => p.Partition))
        {
            long end = (await admin.OffsetAsync(partition, OffsetSpec.Latest, stop)).Offset;
            long? at = committed.TryGetValue(partition, out long offset) ? offset : null;
            MemberDescription? owner = owners.GetValueOrDefault(partition);
            table.Add(partition.Topic, partition.Partition, at, end, end - at, owner?.ClientId, owner?.ClientHost);
        }
        table.Print();
    }
}
