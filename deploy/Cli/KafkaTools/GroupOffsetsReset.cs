using System.CommandLine;
using System.Globalization;
using System.Xml;
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
    private static readonly Option<bool> ToEarliest = new("--to-earliest") { Description = "To the log's start" };
    private static readonly Option<bool> ToLatest = new("--to-latest") { Description = "To the log's end" };
    private static readonly Option<bool> ToCurrent = new("--to-current") { Description = "To what they are" };
    private static readonly Option<long?> ToOffset = new("--to-offset") { Description = "To this offset", HelpName = "N" };
    private static readonly Option<long?> ShiftBy = new("--shift-by") { Description = "So many records further, or back when negative", HelpName = "N" };
    private static readonly Option<string?> ToDatetime = new("--to-datetime") { Description = "To the first record not older than this time, YYYY-MM-DDTHH:mm:SS.sss, UTC without an offset", HelpName = "TIME" };
    private static readonly Option<string?> ByDuration = new("--by-duration") { Description = "To the first record not older than so long ago, PnDTnHnMnS", HelpName = "DURATION" };
    private static readonly Option<string?> FromFile = new("--from-file") { Description = "To what a file of topic,partition,offset lines says", HelpName = "FILE" };

    private static readonly Option[] All = [Topic, AllTopics, Execute, DryRun, Export, ToEarliest, ToLatest, ToCurrent, ToOffset, ShiftBy, ToDatetime, ByDuration, FromFile];

    public static void AddTo(Command tool)
    {
        foreach (Option option in All)
        {
            tool.Options.Add(option);
        }
    }

    public static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        bool executes = parsed.GetValue(Execute) && !parsed.GetValue(DryRun);
        if (!executes && !parsed.GetValue(DryRun))
        {
            Console.Error.WriteLine("WARN: No action will be performed as the --execute option is missing.");
        }
        ResetTarget target = Target(parsed);
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
            IReadOnlyList<ResetLine> plan = await PlanAsync(reset, group, partitions, target, stop);
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

    private static async Task<IReadOnlyList<ResetLine>> PlanAsync(
        OffsetReset reset, string group, IReadOnlyList<TopicPartition> partitions, ResetTarget target, CancellationToken stop)
    {
        try
        {
            return await reset.PlanAsync(group, partitions, target, stop);
        }
        catch (InvalidDataException e)
        {
            throw new KafkaToolException(e.Message);
        }
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

    private static ResetTarget Target(ParseResult parsed)
    {
        List<ResetTarget> asked = [];
        Ask(parsed.GetValue(ToEarliest), static () => new(ResetKind.Earliest));
        Ask(parsed.GetValue(ToLatest), static () => new(ResetKind.Latest));
        Ask(parsed.GetValue(ToCurrent), static () => new(ResetKind.Current));
        Ask(parsed.GetValue(ToOffset) is not null, () => new(ResetKind.Offset, parsed.GetValue(ToOffset)!.Value));
        Ask(parsed.GetValue(ShiftBy) is not null, () => new(ResetKind.Shift, parsed.GetValue(ShiftBy)!.Value));
        Ask(parsed.GetValue(ToDatetime) is not null, () => new(ResetKind.Time, Time: Time(parsed.GetValue(ToDatetime)!)));
        Ask(parsed.GetValue(ByDuration) is not null, () => new(ResetKind.Time, Time: TimeProvider.System.GetUtcNow() - Duration(parsed.GetValue(ByDuration)!)));
        Ask(parsed.GetValue(FromFile) is not null, () => new(ResetKind.File, Offsets: Lines(parsed.GetValue(FromFile)!)));
        return asked.Count == 1 ? asked[0] : throw new KafkaToolException("Option '[reset-offsets]' requires one of the following scenarios: "
            + "[[to-earliest], [to-current], [to-latest], [by-duration], [to-datetime], [from-file], [shift-by], [to-offset]]");

        void Ask(bool wanted, Func<ResetTarget> target)
        {
            if (wanted)
            {
                asked.Add(target());
            }
        }
    }

    private static IReadOnlyList<ResetLine> Lines(string path)
    {
        try
        {
            return ResetFile.Read(path);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new KafkaToolException(e.Message);
        }
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
        ? time
        : throw new KafkaToolException($"'{text}' is no time; write YYYY-MM-DDTHH:mm:SS.sss", "java.text.ParseException");

    private static TimeSpan Duration(string text)
    {
        try
        {
            return XmlConvert.ToTimeSpan(text); // ISO 8601
        }
        catch (FormatException)
        {
            throw new KafkaToolException($"'{text}' is no duration; write PnDTnHnMnS, such as P1DT2H", "java.time.format.DateTimeParseException");
        }
    }
}
