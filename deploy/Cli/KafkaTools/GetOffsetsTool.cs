using System.CommandLine;
using System.Globalization;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-get-offsets</c>, in older tutorials <c>kafka-run-class kafka.tools.GetOffsetShell</c>: a line topic:partition:offset each.</summary>
internal static class GetOffsetsTool
{
    private static readonly ClusterOptions Cluster = new();
    private static readonly Option<string?> Topic = new("--topic") { Description = "The topic, or a regular expression", HelpName = "NAME" };
    private static readonly Option<string?> Partitions = new("--partitions") { Description = "These partitions alone: 0,1", HelpName = "LIST" };
    private static readonly Option<string?> TopicPartitions = new("--topic-partitions") { Description = "topic, topic:1, topic:0-2 (without 2), topic:1- and several of them with commas", HelpName = "LIST" };
    private static readonly Option<string> Time = new("--time") { Description = "latest (-1), earliest (-2), max-timestamp (-3) or milliseconds since 1970", HelpName = "TIME", DefaultValueFactory = _ => "latest" };
    private static readonly Option<bool> ExcludeInternal = new("--exclude-internal-topics") { Description = "Leave the broker's own topics out" };
    private static readonly Option<string?> Offsets = new("--offsets") { Description = "Ignored with a warning: one offset is printed", HelpName = "N" };

    public static Command Create()
    {
        var tool = new KafkaTool("get-offsets", "Print offsets of partitions (kafka-get-offsets, GetOffsetShell).",
            "logpipe kafka get-offsets --topic web_log --bootstrap-server 127.0.0.1:9092",
            "logpipe kafka get-offsets --topic web_log --time earliest");
        Cluster.AddTo(tool);
        foreach (Option option in new Option[] { Topic, Partitions, TopicPartitions, Time, ExcludeInternal, Offsets })
        {
            tool.Options.Add(option);
        }
        tool.Validators.Add(static result =>
        {
            if (result.GetValue(TopicPartitions) is not null && (result.GetValue(Topic) is not null || result.GetValue(Partitions) is not null))
            {
                result.AddError("--topic-partitions cannot be used with --topic or --partitions");
            }
        });
        tool.Runs(RunAsync);
        return tool;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        if (parsed.GetValue(Offsets) is not null)
        {
            Console.Error.WriteLine("WARN --offsets is ignored: one offset is printed");
        }
        OffsetSpec spec = Spec(parsed.GetRequiredValue(Time));
        await using ClusterClient cluster = Cluster.Connect(parsed);
        var admin = new AdminClient(cluster);
        Func<TopicPartition, bool> isWanted = Filter(parsed);
        bool found = false;
        foreach (TopicMetadata topic in (await admin.ListTopicsAsync(stop)).Where(topic => !topic.IsInternal || !parsed.GetValue(ExcludeInternal)))
        {
            foreach (TopicPartition partition in topic.Partitions.Select(partition => new TopicPartition(topic.Name, partition.Index)).Where(isWanted))
            {
                found = true;
                long offset = (await admin.OffsetAsync(partition, spec, stop)).Offset;
                Console.WriteLine($"{partition.Topic}:{partition.Partition}:{(offset < 0 ? "" : offset.ToString(CultureInfo.InvariantCulture))}");
            }
        }
        return found ? Exit.Done : throw new KafkaToolException("Could not match any topic-partitions with the specified filters");
    }

    private static OffsetSpec Spec(string time) => time switch
    {
        "latest" or "-1" => OffsetSpec.Latest,
        "earliest" or "-2" => OffsetSpec.Earliest,
        "max-timestamp" or "-3" => OffsetSpec.MaxTimestamp,
        _ when long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out long ms) => new OffsetSpec(ms),
        _ => throw new KafkaToolException($"Malformed time argument {time}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp, or a specified long format timestamp"),
    };

    private static Func<TopicPartition, bool> Filter(ParseResult parsed)
    {
        if (parsed.GetValue(TopicPartitions) is { } list)
        {
            Func<TopicPartition, bool>[] rules = [.. list.Split(',').Select(Rule)];
            return partition => rules.Any(rule => rule(partition));
        }
        var pattern = new TopicPattern(parsed.GetValue(Topic) ?? ".*");
        HashSet<int>? only = parsed.GetValue(Partitions) is { } numbers ? [.. numbers.Split(',').Select(static number => Number(number, 0))] : null;
        return partition => pattern.Matches(partition.Topic) && only?.Contains(partition.Partition) != false;
    }

    private static Func<TopicPartition, bool> Rule(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        var pattern = new TopicPattern(colon < 0 ? text : colon == 0 ? ".*" : text[..colon]);
        string range = colon < 0 ? "" : text[(colon + 1)..];
        int dash = range.IndexOf('-', StringComparison.Ordinal);
        int from = range.Length == 0 ? 0 : Number(dash < 0 ? range : range[..dash], 0);
        int end = range.Length == 0 ? int.MaxValue : dash < 0 ? from + 1 : Number(range[(dash + 1)..], int.MaxValue);
        return partition => pattern.Matches(partition.Topic) && partition.Partition >= from && partition.Partition < end;
    }

    private static int Number(string text, int otherwise) => text.Length == 0 ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
        : throw new KafkaToolException($"Invalid partition {text}");
}
