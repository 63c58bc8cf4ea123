using System.CommandLine;
using LogPipeline.Cli.OffsetResets;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-consumer-groups --reset-offsets</c>: shows what the offsets would become, and sets them with <c>--execute</c>.</summary>
internal static class GroupOffsetsReset
{
    private static readonly Option<string[]> Topic = new("--topic") { Description = "A topic, or topic:0,1 for some of its partitions; may be repeated", HelpName = "NAME" };
    private static readonly Option<bool> AllTopics = new("--all-topics") { Description = "All topics that the group has committed offsets of" };
    private static readonly Option<bool> Execute = new("--execute") { Description = "Set the offsets" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Show what would be set" };
    private static readonly Option<bool> Export = new("--export") { Description = "Print lines for --from-file" };

    private static readonly ResetOptions To = new();

    public static void AddTo(KafkaTool tool)
    {
        tool.AddOption(Topic, "--reset-offsets", "--delete-offsets");
        tool.AddOption(AllTopics, "--reset-offsets", "--delete-offsets");
        foreach (Option option in (Option[])[Execute, DryRun, Export, .. To.All])
        {
            tool.AddOption(option, "--reset-offsets");
        }
    }

    public static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        bool executes = parsed.GetValue(Execute);
        if (executes && parsed.GetValue(DryRun))
        {
            throw new KafkaToolException("Option [reset-offsets] only accepts one of [execute] and [dry-run]");
        }
        if (!executes && !parsed.GetValue(DryRun))
        {
            Console.Error.WriteLine("WARN: No action will be performed as the --execute option is missing.");
        }
        ResetTarget target = To.Target(parsed);
        await using ClusterClient cluster = ConsumerGroupsTool.Connect(parsed);
        var admin = new AdminClient(cluster);
        var reset = new OffsetReset(admin, static text => Console.Error.WriteLine($"WARN {text}"));
        var plans = new List<ResetLine>();
        IReadOnlyList<string> groups = await ConsumerGroupsTool.GroupsAsync(parsed, admin, stop);
        foreach (string group in groups)
        {
            if (OffsetReset.WhyNot(await admin.DescribeGroupAsync(group, stop)) is { } reason)
            {
                Console.WriteLine($"\nError: {reason}");
                return KafkaTool.Failed;
            }
            IReadOnlyList<TopicPartition> partitions = target.Kind == ResetKind.File ? [] : await ScopeAsync(parsed, admin, group, stop);
            IReadOnlyList<ResetLine> plan = await reset.PlanAsync(group, partitions, target, stop);
            plans.AddRange(plan);
            if (executes)
            {
                await reset.ApplyAsync(group, plan, stop);
            }
        }
        Print(plans, parsed.GetValue(Export), groups.Count > 1);
        return Exit.Done;
    }

    /// <summary>The partitions that the command line names.</summary>
    internal static Task<IReadOnlyList<TopicPartition>> ScopeAsync(ParseResult parsed, AdminClient admin, string group, CancellationToken stop)
    {
        string[]? topics = parsed.GetValue(AllTopics) ? null
            : parsed.GetValue(Topic) is { Length: > 0 } named ? named
            : throw new KafkaToolException("One of the reset scopes should be defined: --all-topics, --topic.");
        return new OffsetReset(admin, static _ => { }).ScopeAsync(group, topics, stop);
    }

    private static void Print(List<ResetLine> plans, bool export, bool withGroup)
    {
        if (export)
        {
            plans.ForEach(line => Console.WriteLine(ResetFile.Format(line, withGroup)));
            return;
        }
        var table = new FixedTable(("GROUP", 15), ("TOPIC", 15), ("PARTITION", 10), ("NEW-OFFSET", 0));
        plans.ForEach(line => table.Add(line.Group, line.Partition.Topic, line.Partition.Partition, line.Offset));
        table.Print(Console.Out);
    }
}
