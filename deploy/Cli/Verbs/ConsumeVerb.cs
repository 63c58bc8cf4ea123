using System.CommandLine;
using LogPipeline.Cli.Printing;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary>
/// <c>logpipe consume TOPIC…</c>: writes each record's value and a line feed to standard output, byte for byte but for what a terminal would obey.
/// </summary>
internal static class ConsumeVerb
{
    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Argument<string[]> Topics = new("TOPIC") { Description = "One or more topics", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<bool> FromBeginning = new("--from-beginning") { Description = "Begin at the oldest record; a group that has committed offsets begins there" };
    private static readonly Option<string?> Group = new("--group", "-g") { Description = "Join this consumer group and commit to it", HelpName = "NAME" };
    private static readonly Option<long?> Limit = new("--limit", "-n") { Description = "Stop after so many records", HelpName = "N" };
    private static readonly Option<bool> UntilEnd = new("--until-end", "-e") { Description = "Stop at what is the end when the verb starts (without --group)" };
    private static readonly Option<int?> Partition = new("--partition", "-p") { Description = "Only this partition (without --group)", HelpName = "N" };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "value: the bytes and a line feed (a terminal gets no control characters); json: one object a line with offset, key, headers and value",
        HelpName = "value|json",
        DefaultValueFactory = _ => "value",
    };

    public static Command Create()
    {
        Output.AcceptOnlyFromAmong("value", "json");
        var verb = new Verb("consume", "Print the records of topics as they come.",
            "logpipe consume web_log --from-beginning --limit 10",
            "logpipe consume web_log --group readers --output json",
            "logpipe consume web_log --from-beginning --until-end | wc -l")
        {
            Topics, FromBeginning, Group, Limit, UntilEnd, Partition, Output, Bootstrap, Config,
        };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(Group) is not null && (result.GetValue(UntilEnd) || result.GetValue(Partition) is not null))
            {
                result.AddError("--until-end and --partition read partitions directly and do not go with --group");
            }
        });
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        string? group = parsed.GetValue(Group);
        await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
        await using var consumer = new Consumer(new ConsumerOptions
        {
            Group = group,
            OffsetReset = parsed.GetValue(FromBeginning) ? OffsetReset.Earliest : OffsetReset.Latest,
            AutoCommitInterval = group is null ? null : TimeSpan.FromSeconds(1),
        }, cluster, TimeProvider.System, Random.Shared);
        await using var output = new RecordOutput(new StandardOutputStream(), FormOf(parsed));
        var ends = new Dictionary<TopicPartition, long>();
        if (group is not null)
        {
            consumer.Subscribe(parsed.GetRequiredValue(Topics));
        }
        else
        {
            List<TopicPartition> partitions = await PartitionsAsync(parsed, cluster, stop);
            if (parsed.GetValue(UntilEnd) && !await FindEndsAsync(parsed, new AdminClient(cluster), partitions, ends, stop))
            {
                return Exit.Done;
            }
            consumer.Assign(partitions);
        }
        await PrintAsync(consumer, output, ends, parsed.GetValue(Limit) ?? long.MaxValue, stop);
        return Exit.Done;
    }

    private static RecordForm FormOf(ParseResult parsed) =>
        parsed.GetValue(Output) == "json" ? RecordForm.Json : Console.IsOutputRedirected ? RecordForm.Bytes : RecordForm.Text;

    /// <summary>Prints what comes, until there were so many records, all ends are reached or the signal comes.</summary>
    internal static async Task PrintAsync(Consumer consumer, RecordOutput output, Dictionary<TopicPartition, long> ends, long limit, CancellationToken stop)
    {
        bool bounded = ends.Count > 0;
        bool isEndless = !bounded && limit == long.MaxValue;
        while (limit > 0 && (!bounded || ends.Count > 0))
        {
            IReadOnlyList<ConsumedRecord> records;
            try
            {
                records = await consumer.PollAsync(stop);
            }
            catch (OperationCanceledException) when (isEndless && stop.IsCancellationRequested)
            {
                break;
            }
            foreach (ConsumedRecord record in records)
            {
                if (bounded && (!ends.TryGetValue(record.Partition, out long end) || record.Offset >= end))
                {
                    continue;
                }
                if (limit == 0)
                {
                    LeaveFrom(record, records, consumer);
                    break;
                }
                output.Write(record);
                limit--;
            }
            // Positions tell, not records: the last offsets may hold control records or nothing at all.
            foreach (TopicPartition partition in ends.Where(end => consumer.Position(end.Key) >= end.Value).Select(end => end.Key).ToList())
            {
                ends.Remove(partition);
            }
            await output.FlushAsync();
        }
    }

    // What was polled and not printed is left to the group's next reader: each partition goes back to its first such record.
    internal static void LeaveFrom(ConsumedRecord first, IReadOnlyList<ConsumedRecord> polled, Consumer consumer)
    {
        foreach (ConsumedRecord rest in polled.SkipWhile(record => record.Partition != first.Partition || record.Offset != first.Offset).DistinctBy(record => record.Partition))
        {
            consumer.Seek(rest.Partition, rest.Offset);
        }
    }

    private static async Task<List<TopicPartition>> PartitionsAsync(ParseResult parsed, ClusterClient cluster, CancellationToken stop)
    {
        var partitions = new List<TopicPartition>();
        foreach (string? name in parsed.GetRequiredValue(Topics))
        {
            TopicMetadata topic = await cluster.TopicAsync(name, refresh: true, stop);
            partitions.AddRange(topic.Partitions.Select(partition => new TopicPartition(name, partition.Index))
                .Where(partition => parsed.GetValue(Partition) is not { } only || only == partition.Partition));
        }
        if (partitions.Count == 0)
        {
            throw new ConfigurationException($"partition {parsed.GetValue(Partition)} does not exist");
        }
        return partitions;
    }

    // The end of each partition that has anything to read; false when none has.
    private static async Task<bool> FindEndsAsync(ParseResult parsed, AdminClient admin, List<TopicPartition> partitions, Dictionary<TopicPartition, long> ends, CancellationToken stop)
    {
        foreach (TopicPartition partition in partitions)
        {
            long end = (await admin.OffsetAsync(partition, OffsetSpec.Latest, stop)).Offset;
            long begin = parsed.GetValue(FromBeginning) ? (await admin.OffsetAsync(partition, OffsetSpec.Earliest, stop)).Offset : end;
            if (begin < end)
            {
                ends[partition] = end;
            }
        }
        return ends.Count > 0;
    }
}
