using System.CommandLine;
using System.Globalization;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>What <c>kafka-consumer-groups --describe</c> prints: offsets and lag, or members, or the group's state.</summary>
internal static class GroupTables
{
    private static readonly Option<bool> Members = new("--members") { Description = "With --describe: the members" };
    private static readonly Option<bool> Offsets = new("--offsets") { Description = "With --describe: offsets and lag, as without it" };
    private static readonly Option<bool> Verbose = new("--verbose") { Description = "With --members: what is assigned to each" };

    public static void AddTo(KafkaTool tool)
    {
        foreach (Option<bool> option in new[] { Members, Offsets, Verbose })
        {
            tool.AddOption(option, "--describe");
        }
    }

    public static async Task<int> DescribeAsync(ParseResult parsed, CancellationToken stop)
    {
        bool state = ConsumerGroupsTool.ShowsState(parsed);
        if ((parsed.GetValue(Members) ? 1 : 0) + (parsed.GetValue(Offsets) ? 1 : 0) + (state ? 1 : 0) > 1)
        {
            throw new KafkaToolException("Option [describe] takes at most one of these options: [members], [offsets], [state]");
        }
        if (parsed.GetValue(Verbose) && !parsed.GetValue(Members))
        {
            Console.Error.WriteLine("WARN --verbose is ignored: it shows more with --members only");
        }
        await using ClusterClient cluster = ConsumerGroupsTool.Connect(parsed);
        var admin = new AdminClient(cluster);
        int status = Exit.Done;
        foreach (string name in await ConsumerGroupsTool.GroupsAsync(parsed, admin, stop))
        {
            GroupDescription? group = await FindAsync(admin, name, stop);
            if (group is null)
            {
                Console.WriteLine($"\nError: Executing consumer group command failed due to org.apache.kafka.common.errors.GroupIdNotFoundException: Group {name} not found.");
                status = KafkaTool.Failed;
                continue;
            }
            if (state)
            {
                await PrintStateAsync(cluster, group, stop);
            }
            else if (parsed.GetValue(Members))
            {
                PrintMembers(group, parsed.GetValue(Verbose));
            }
            else
            {
                await PrintOffsetsAsync(admin, group, stop);
            }
            if (group.Members.Count == 0)
            {
                Console.Error.WriteLine($"\nConsumer group '{name}' {(group.State == "Empty" ? "has no active members." : "is rebalancing.")}");
            }
        }
        return status;
    }

    // Brokers tell of a group that is not there in two ways, by their age.
    private static async Task<GroupDescription?> FindAsync(AdminClient admin, string name, CancellationToken stop)
    {
        try
        {
            return await admin.DescribeGroupAsync(name, stop) is { State: not "Dead" } found ? found : null;
        }
        catch (BrokerErrorException e) when (e.Code == ErrorCode.GroupIdNotFound)
        {
            return null;
        }
    }

    private static async Task PrintOffsetsAsync(AdminClient admin, GroupDescription group, CancellationToken stop)
    {
        var committed = (await admin.GroupOffsetsAsync(group.GroupId, stop)).ToDictionary(static entry => entry.Key, static entry => entry.Value.Offset);
        var owners = group.Members.SelectMany(static member => member.Assignment, static (member, partition) => (partition, member)).ToDictionary(static pair => pair.partition, static pair => pair.member);
        var table = new FixedTable(
            ("GROUP", 15), ("TOPIC", 15), ("PARTITION", 10), ("CURRENT-OFFSET", 15), ("LOG-END-OFFSET", 15), ("LAG", 15), ("CONSUMER-ID", 15), ("HOST", 15), ("CLIENT-ID", 0));
        foreach (TopicPartition partition in committed.Keys.Union(owners.Keys).Order())
        {
            long end = (await admin.OffsetAsync(partition, OffsetSpec.Latest, stop)).Offset;
            long? at = committed.TryGetValue(partition, out long offset) ? offset : null;
            MemberDescription? owner = owners.GetValueOrDefault(partition);
            table.Add(group.GroupId, partition.Topic, partition.Partition, at, end, end - at, owner?.MemberId, owner?.ClientHost, owner?.ClientId);
        }
        if (table.Count > 0)
        {
            table.Print(Console.Out);
        }
    }

    private static void PrintMembers(GroupDescription group, bool verbose)
    {
        (string, int)[] columns = [("GROUP", 15), ("CONSUMER-ID", 15), ("HOST", 15), ("CLIENT-ID", 15), ("#PARTITIONS", 15)];
        var table = new FixedTable(verbose ? [.. columns, ("ASSIGNMENT", 0)] : columns);
        foreach (MemberDescription member in group.Members)
        {
            object?[] cells = [group.GroupId, member.MemberId, member.ClientHost, member.ClientId, member.Assignment.Count];
            table.Add(verbose ? [.. cells, AssignmentOf(member)] : cells);
        }
        table.Print(Console.Out);
    }

    private static async Task PrintStateAsync(ClusterClient cluster, GroupDescription group, CancellationToken stop)
    {
        IReadOnlyList<BrokerNode> brokers = (await new AdminClient(cluster).DescribeClusterAsync(stop)).Brokers;
        BrokerConnection coordinator = await cluster.CoordinatorAsync(group.GroupId, stop);
        string node = brokers.FirstOrDefault(broker => broker.Endpoint == coordinator.Endpoint)?.NodeId.ToString(CultureInfo.InvariantCulture) ?? "-";
        var table = new FixedTable(("GROUP", 15), ("COORDINATOR (ID)", 25), ("ASSIGNMENT-STRATEGY", 20), ("STATE", 20), ("#MEMBERS", 0));
        table.Add(group.GroupId, $"{coordinator.Endpoint}  ({node})", group.Protocol.Length > 0 ? group.Protocol : null, group.State, group.Members.Count);
        table.Print(Console.Out);
    }

    // As Kafka's: web_log(0,1), other(2)
    private static string? AssignmentOf(MemberDescription member) => member.Assignment.Count == 0
        ? null
        : string.Join(", ", member.Assignment.GroupBy(static partition => partition.Topic, StringComparer.Ordinal)
            .Select(static topic => $"{topic.Key}({string.Join(',', topic.Select(static partition => partition.Partition).Order())})"));
}
