using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Verbs;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-console-consumer</c>: prints records as they come. Without a group all partitions are read, and nothing is committed.</summary>
internal static class ConsoleConsumerTool
{
    private static readonly ClusterOptions Cluster = new(["--command-config", "--consumer.config"], ["--command-property", "--consumer-property"]);
    private static readonly Option<string?> Topic = new("--topic") { Description = "The topic to read", HelpName = "NAME" };
    private static readonly Option<string?> Include = new("--include", "--whitelist") { Description = "A regular expression of topics to read", HelpName = "PATTERN" };
    private static readonly Option<bool> FromBeginning = new("--from-beginning") { Description = "Begin at the oldest record where the group has committed no offset" };
    private static readonly Option<string?> Group = new("--group") { Description = "The consumer group to join", HelpName = "NAME" };
    private static readonly Option<int?> Partition = new("--partition") { Description = "Read this partition alone", HelpName = "N" };
    private static readonly Option<string?> Offset = new("--offset") { Description = "With --partition: where to begin: a number, earliest or latest", HelpName = "OFFSET" };
    private static readonly Option<long?> MaxMessages = new("--max-messages") { Description = "Stop after so many records", HelpName = "N" };
    private static readonly Option<int?> Timeout = new("--timeout-ms") { Description = "Stop when no record comes for so long", HelpName = "MS" };
    private static readonly Option<string[]> Property = new("--formatter-property", "--property") { Description = "What is printed, such as print.key=true; may be repeated", HelpName = "KEY=VALUE" };
    private static readonly Option<string?> KeyDeserializer = new("--key-deserializer") { Description = "How keys are printed: as text, or numbers of a Java class such as LongDeserializer", HelpName = "CLASS" };
    private static readonly Option<string?> ValueDeserializer = new("--value-deserializer") { Description = "How values are printed", HelpName = "CLASS" };

    private static readonly Option[] Ignored =
    [
        new Option<string?>("--isolation-level"), new Option<string?>("--formatter"), new Option<string?>("--formatter-config"), new Option<bool>("--skip-message-on-error"),
        new Option<bool>("--enable-systest-events"), new Option<bool>("--new-consumer"),
    ];

    public static Command Create()
    {
        var tool = new KafkaTool("console-consumer", "Print the records of a topic as they come (kafka-console-consumer).",
            "logpipe kafka console-consumer --topic quickstart-events --from-beginning --bootstrap-server 127.0.0.1:9092",
            "logpipe kafka console-consumer --topic pairs --from-beginning --property print.key=true --timeout-ms 5000");
        Cluster.AddTo(tool);
        foreach (Option option in new Option[] { Topic, Include, FromBeginning, Group, Partition, Offset, MaxMessages, Timeout, Property, KeyDeserializer, ValueDeserializer })
        {
            tool.Options.Add(option);
        }
        foreach (Option option in Ignored)
        {
            option.Description = "Taken and without effect";
            tool.Options.Add(option);
        }
        tool.Validators.Add(static result =>
        {
            string? problem = (result.GetValue(Topic), result.GetValue(Include)) is (null, null) or (not null, not null) ? "Exactly one of --include/--topic is required."
                : result.GetValue(Offset) is not null && result.GetValue(Partition) is null ? "The partition is required when offset is specified."
                : result.GetValue(Offset) is not null && result.GetValue(FromBeginning) ? "Options from-beginning and offset cannot be specified together."
                : null;
            if (problem is not null)
            {
                result.AddError(problem);
            }
        });
        tool.Runs(RunAsync);
        return tool;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        IReadOnlyDictionary<string, string> properties = Cluster.Properties(parsed);
        string? group = parsed.GetValue(Partition) is null ? parsed.GetValue(Group) ?? properties.GetValueOrDefault("group.id") : null;
        await using ClusterClient cluster = Cluster.Connect(parsed, createsTopics: parsed.GetValue(Include) is null);
        await using var consumer = new Consumer(new ConsumerOptions
        {
            Group = group,
            OffsetReset = Reset(parsed, properties),
            AutoCommitInterval = group is not null && properties.GetValueOrDefault("enable.auto.commit", "true") == "true" ? TimeSpan.FromSeconds(5) : null,
        }, cluster, TimeProvider.System, Random.Shared);
        await BeginAsync(parsed, group, consumer, cluster, stop);
        var output = new RecordFormatter(Console.OpenStandardOutput(), Format(parsed));
        long printed = 0;
        try
        {
            await foreach (IReadOnlyList<ConsumedRecord> records in PollsAsync(consumer, parsed.GetValue(Timeout), stop))
            {
                int wanted = (int)Math.Min(records.Count, (parsed.GetValue(MaxMessages) is >= 0 and long most ? most : long.MaxValue) - printed);
                for (int i = 0; i < wanted; i++)
                {
                    output.Write(records[i]);
                }
                await output.FlushAsync();
                printed += wanted;
                if (wanted < records.Count)
                {
                    ConsumeVerb.LeaveFrom(records[wanted], records, consumer);
                }
                if (printed == parsed.GetValue(MaxMessages))
                {
                    break;
                }
            }
        }
        finally
        {
            Console.Error.WriteLine($"Processed a total of {printed} messages");
        }
        return Exit.Done;
    }

    // Ends when the signal asks for it, and when nothing comes for as long as --timeout-ms says.
    private static async IAsyncEnumerable<IReadOnlyList<ConsumedRecord>> PollsAsync(Consumer consumer, int? timeoutMs, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        while (true)
        {
            IReadOnlyList<ConsumedRecord> records;
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
            waiting.CancelAfter(timeoutMs is > 0 and int ms ? TimeSpan.FromMilliseconds(ms) : System.Threading.Timeout.InfiniteTimeSpan);
            try
            {
                records = await consumer.PollAsync(waiting.Token);
            }
            catch (OperationCanceledException) when (waiting.IsCancellationRequested)
            {
                if (!stop.IsCancellationRequested)
                {
                    Console.Error.WriteLine("ERROR Error processing message, terminating consumer process: ");
                    Console.Error.WriteLine("org.apache.kafka.common.errors.TimeoutException");
                }
                yield break;
            }
            yield return records;
        }
    }

    private static OffsetReset Reset(ParseResult parsed, IReadOnlyDictionary<string, string> properties)
        => parsed.GetValue(FromBeginning) || (parsed.GetValue(Offset) ?? properties.GetValueOrDefault("auto.offset.reset")) == "earliest" ? OffsetReset.Earliest : OffsetReset.Latest;

    private static async Task BeginAsync(ParseResult parsed, string? group, Consumer consumer, ClusterClient cluster, CancellationToken stop)
    {
        List<string> topics = parsed.GetValue(Topic) is { } one ? [one] : await MatchingAsync(parsed.GetValue(Include)!, cluster, stop);
        if (group is not null)
        {
            consumer.Subscribe(topics);
            return;
        }
        var partitions = new List<TopicPartition>();
        foreach (string name in topics)
        {
            TopicMetadata topic = await cluster.TopicAsync(name, refresh: true, stop);
            partitions.AddRange(topic.Partitions.Select(partition => new TopicPartition(name, partition.Index))
                .Where(partition => parsed.GetValue(Partition) is not { } only || only == partition.Partition));
        }
        if (partitions.Count == 0)
        {
            throw new KafkaToolException($"{string.Join(", ", topics)} has no partition {parsed.GetValue(Partition)}");
        }
        consumer.Assign(partitions);
        if (parsed.GetValue(Offset) is { } offset and not ("earliest" or "latest"))
        {
            consumer.Seek(partitions[0], long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                ? number
                : throw new KafkaToolException($"The provided offset value '{offset}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long."));
        }
    }

    private static async Task<List<string>> MatchingAsync(string include, ClusterClient cluster, CancellationToken stop)
    {
        var pattern = new TopicPattern(include);
        List<string> names = [.. (await new AdminClient(cluster).ListTopicsAsync(stop)).Where(topic => !topic.IsInternal && pattern.Matches(topic.Name)).Select(static topic => topic.Name)];
        return names.Count > 0 ? names : throw new KafkaToolException($"no topic matches {include}");
    }

    private static Dictionary<string, string> Format(ParseResult parsed)
    {
        var properties = new Dictionary<string, string>(JavaProperties.Pairs("--formatter-property", parsed.GetValue(Property)), StringComparer.Ordinal);
        if (parsed.GetValue(KeyDeserializer) is { } key)
        {
            properties["key.deserializer"] = key;
        }
        if (parsed.GetValue(ValueDeserializer) is { } value)
        {
            properties["value.deserializer"] = value;
        }
        return properties;
    }
}
