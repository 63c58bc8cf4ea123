using System.CommandLine;
using System.Globalization;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-consumer-groups</c></summary>
internal static class ConsumerGroupsTool
{
    private static readonly ClusterOptions Cluster = new();
    private static readonly Option<string[]> Group = new("--group") { Description = "A consumer group; may be repeated", HelpName = "NAME" };
    private static readonly Option<bool> AllGroups = new("--all-groups") { Description = "All consumer groups" };
    private static readonly Option<string?> State = new("--state") { Description = "Show states; with --list those alone that are named", HelpName = "STATES", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Type = new("--type") { Description = "With --list: show types, or those alone that are named", HelpName = "TYPES", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<int?> Timeout = new("--timeout") { Description = "How long each request to the brokers may take, and finding them", HelpName = "MS" };

    public static Command Create()
    {
        var tool = new KafkaTool("consumer-groups", "List, describe, reset and delete consumer groups (kafka-consumer-groups).",
            "logpipe kafka consumer-groups --list --bootstrap-server 127.0.0.1:9092",
            "logpipe kafka consumer-groups --describe --group readers",
            "logpipe kafka consumer-groups --reset-offsets --group readers --topic web_log --to-earliest --execute")
        {
            FailureLine = "\nError: Executing consumer group command failed due to ",
        };
        tool.AddAction("--list", "List all groups", ListAsync);
        tool.AddAction("--describe", "Show offsets, lag and members of groups", GroupTables.DescribeAsync);
        tool.AddAction("--delete", "Delete groups without members", DeleteAsync);
        tool.AddAction("--reset-offsets", "Set committed offsets of groups without members; without --execute it only shows them", GroupOffsetsReset.RunAsync);
        tool.AddAction("--delete-offsets", "Delete committed offsets of a topic", DeleteOffsetsAsync);
        tool.RunsOneAction();
        Cluster.AddTo(tool);
        tool.Options.Add(Timeout);
        tool.AddOption(Group, "--describe", "--delete", "--reset-offsets", "--delete-offsets");
        tool.AddOption(AllGroups, "--describe", "--delete", "--reset-offsets");
        tool.AddOption(State, "--list", "--describe");
        tool.AddOption(Type, "--list");
        GroupTables.AddTo(tool);
        GroupOffsetsReset.AddTo(tool);
        return tool;
    }

    internal static ClusterClient Connect(ParseResult parsed) => Cluster.Connect(parsed, Properties(parsed));

    /// <summary>The client's properties, with what --timeout says.</summary>
    internal static IReadOnlyDictionary<string, string> Properties(ParseResult parsed)
    {
        var properties = new Dictionary<string, string>(Cluster.Properties(parsed), StringComparer.Ordinal);
        if (parsed.GetValue(Timeout) is { } timeout)
        {
            properties["request.timeout.ms"] = properties["default.api.timeout.ms"] = properties["socket.connection.setup.timeout.ms"] = timeout.ToString(CultureInfo.InvariantCulture);
        }
        return properties;
    }

    internal static bool ShowsState(ParseResult parsed) => parsed.GetResult(State) is { Implicit: false };

    /// <summary>The groups of the command line.</summary>
    /// <exception cref="KafkaToolException">It names none.</exception>
    internal static async Task<IReadOnlyList<string>> GroupsAsync(ParseResult parsed, AdminClient admin, CancellationToken stop)
    {
        if (parsed.GetValue(AllGroups))
        {
            return [.. (await admin.ListGroupsAsync(stop)).Where(IsConsumers).Select(static group => group.GroupId)];
        }
        return parsed.GetValue(Group) is { Length: > 0 } groups ? groups : throw new KafkaToolException("the option --group or --all-groups is missing");
    }

    // Connect workers and others have groups of their own kind.
    private static bool IsConsumers(GroupListing group) => group.ProtocolType is "consumer" or "";

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken stop)
    {
        await using ClusterClient cluster = Connect(parsed);
        IEnumerable<GroupListing> groups = (await new AdminClient(cluster).ListGroupsAsync(stop)).Where(IsConsumers);
        (bool state, bool type) = (ShowsState(parsed), parsed.GetResult(Type) is { Implicit: false });
        groups = Filtered(Filtered(groups, parsed.GetValue(State), static group => group.State), parsed.GetValue(Type), static group => group.Type);
        if (!state && !type)
        {
            foreach (GroupListing group in groups)
            {
                Console.WriteLine(group.GroupId);
            }
            return Exit.Done;
        }
        (string Heading, int Width)[] columns = [("GROUP", 25), .. type ? new[] { ("TYPE", 20) } : [], .. state ? new[] { ("STATE", 20) } : []];
        var table = new FixedTable(columns);
        foreach (GroupListing group in groups)
        {
            table.Add([group.GroupId, .. type ? new[] { group.Type.Length > 0 ? char.ToUpperInvariant(group.Type[0]) + group.Type[1..] : "Classic" } : [], .. state ? new[] { group.State } : []]);
        }
        table.Print(Console.Out, gap: false);
        return Exit.Done;
    }

    private static IEnumerable<GroupListing> Filtered(IEnumerable<GroupListing> groups, string? wanted, Func<GroupListing, string> of) => wanted is null
        ? groups
        : groups.Where(group => wanted.Split(',', StringSplitOptions.TrimEntries).Contains(of(group), StringComparer.OrdinalIgnoreCase));

    private static async Task<int> DeleteAsync(ParseResult parsed, CancellationToken stop)
    {
        await using ClusterClient cluster = Connect(parsed);
        var admin = new AdminClient(cluster);
        var deleted = new List<string>();
        var failed = new List<string>();
        foreach (string group in await GroupsAsync(parsed, admin, stop))
        {
            try
            {
                await admin.DeleteGroupAsync(group, stop);
                deleted.Add($"'{group}'");
            }
            catch (BrokerErrorException e)
            {
                failed.Add($"* Group '{group}' could not be deleted due to: {JavaException.NameOf(e.Code)}: {(e.Code == ErrorCode.NonEmptyGroup ? "The group is not empty." : "The group id does not exist.")}");
            }
        }
        string names = string.Join(", ", deleted);
        if (failed.Count == 0)
        {
            Console.WriteLine($"Deletion of requested consumer groups ({names}) was successful.");
            return Exit.Done;
        }
        Console.WriteLine("\nError: Deletion of some consumer groups failed:");
        failed.ForEach(Console.WriteLine);
        if (deleted.Count > 0)
        {
            Console.WriteLine($"\nThese consumer groups were deleted successfully: {names}");
        }
        return KafkaTool.Failed;
    }

    private static async Task<int> DeleteOffsetsAsync(ParseResult parsed, CancellationToken stop)
    {
        await using ClusterClient cluster = Connect(parsed);
        var admin = new AdminClient(cluster);
        string group = parsed.GetValue(Group) is [string only] ? only : throw new KafkaToolException("--delete-offsets takes one --group");
        IReadOnlyList<TopicPartition> partitions = await GroupOffsetsReset.ScopeAsync(parsed, admin, group, stop);
        IReadOnlyList<KeyValuePair<TopicPartition, ErrorCode>> outcomes = await admin.DeleteOffsetsAsync(group, partitions, stop);
        bool well = outcomes.All(static outcome => outcome.Value == ErrorCode.None);
        Console.WriteLine(well ? $"Request succeeded for deleting offsets from group {group}." : $"\nError: Encountered some partition level error, see the following list");
        var table = new FixedTable(("TOPIC", 15), ("PARTITION", 10), ("STATUS", 15));
        foreach ((TopicPartition partition, ErrorCode code) in outcomes)
        {
            table.Add(partition.Topic, partition.Partition, code == ErrorCode.None ? "Successful" : $"Error: {JavaException.NameOf(code)}");
        }
        table.Print(Console.Out);
        return well ? Exit.Done : KafkaTool.Failed;
    }
}
