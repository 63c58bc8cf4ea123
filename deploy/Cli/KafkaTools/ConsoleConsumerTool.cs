using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Verbs;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-console-consumer</c>: prints records as they come. Without a group all partitions are read, and nothing is committed.</summary>
internal static class ConsoleConsumerTool
{
    private static readonly ClusterOptions Cluster = new(["--command-config", "--consumer.config"], ["--command-property", "--consumer-property"], ConsumerProperties.Names);
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
    private static readonly Option<string?> IsolationLevel = new("--isolation-level") { Description = "read_committed leaves records of open and aborted transactions out; read_uncommitted prints all", HelpName = "LEVEL" };
    private static readonly Option<string?> Formatter = new("--formatter") { Description = "Kafka's class that prints: DefaultMessageFormatter, LoggingMessageFormatter, or NoOpMessageFormatter for nothing", HelpName = "CLASS" };
    private static readonly Option<string?> FormatterConfig = new("--formatter-config") { Description = "A file of formatter properties", HelpName = "FILE" };
    private static readonly Option<bool> SkipOnError = new("--skip-message-on-error") { Description = "Pass over a record that cannot be printed, instead of ending" };
    private static readonly Option<bool> SystestEvents = new("--enable-systest-events") { Description = "Print shutdown_complete at the end" };
    private static readonly Option<bool> NewConsumer = new("--new-consumer") { Description = "Ignored with a warning: there is one kind of consumer" };

    public static Command Create()
    {
        var tool = new KafkaTool("console-consumer", "Print the records of a topic as they come (kafka-console-consumer).",
            "logpipe kafka console-consumer --topic quickstart-events --from-beginning --bootstrap-server 127.0.0.1:9092",
            "logpipe kafka console-consumer --topic pairs --from-beginning --property print.key=true --timeout-ms 5000");
        Cluster.AddTo(tool);
        foreach (Option option in new Option[] { Topic, Include, FromBeginning, Group, Partition, Offset, MaxMessages, Timeout, Property, KeyDeserializer, ValueDeserializer, IsolationLevel,
            Formatter, FormatterConfig, SkipOnError, SystestEvents, NewConsumer })
        {
            tool.Options.Add(option);
        }
        tool.Validators.Add(static result =>
        {
            string? problem = (result.GetValue(Topic), result.GetValue(Include)) is (null, null) or (not null, not null) ? "Exactly one of --include/--topic is required."
                : result.GetValue(Partition) is not null && result.GetValue(Topic) is null ? "The topic is required when partition is specified."
                : result.GetValue(Partition) is not null && result.GetValue(Group) is not null ? "Options group and partition cannot be specified together."
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
        if (parsed.GetValue(NewConsumer))
        {
            Console.Error.WriteLine("WARN --new-consumer is ignored: there is one kind of consumer");
        }
        IReadOnlyDictionary<string, string> properties = Properties(parsed);
        RecordFormatter? output = PrintsNothing(parsed.GetValue(Formatter)) ? null : new RecordFormatter(new StandardOutputStream(), Format(parsed));
        await using ClusterClient cluster = Cluster.Connect(parsed, properties, createsTopics: parsed.GetValue(Include) is null);
        ConsumerOptions options = ConsumerProperties.Options(properties);
        await using var consumer = new Consumer(options, cluster, TimeProvider.System, Random.Shared);
        await BeginAsync(parsed, options.Group, consumer, cluster, stop);
        await PrintAsync(parsed, consumer, output, stop);
        if (parsed.GetValue(SystestEvents))
        {
            Console.WriteLine("shutdown_complete");
        }
        return Exit.Done;
    }

    private static async Task PrintAsync(ParseResult parsed, Consumer consumer, RecordFormatter? output, CancellationToken stop)
    {
        long most = parsed.GetValue(MaxMessages) is >= 0 and long number ? number : long.MaxValue;
        long printed = 0;
        try
        {
            await foreach (IReadOnlyList<ConsumedRecord> records in PollsAsync(consumer, parsed.GetValue(Timeout), stop))
            {
                int wanted = (int)Math.Min(records.Count, most - printed);
                for (int i = 0; i < wanted; i++)
                {
                    Print(records[i], output, parsed.GetValue(SkipOnError));
                }
                await (output?.FlushAsync() ?? ValueTask.CompletedTask);
                printed += wanted;
                if (wanted < records.Count)
                {
                    ConsumeVerb.LeaveFrom(records[wanted], records, consumer);
                }
                if (printed == most)
                {
                    break;
                }
            }
        }
        finally
        {
            Console.Error.WriteLine($"Processed a total of {printed} messages");
        }
    }

    private static void Print(in ConsumedRecord record, RecordFormatter? output, bool skipsOnError)
    {
        if (output?.Problem(record) is not { } problem)
        {
            output?.Write(record);
            return;
        }
        if (!skipsOnError)
        {
            throw new KafkaToolException(problem, "org.apache.kafka.common.errors.SerializationException");
        }
        Console.Error.WriteLine($"ERROR Error processing message, skipping this message: {problem}");
    }

    // Ends when the signal asks for it, and when nothing comes for as long as --timeout-ms says.
    private static async IAsyncEnumerable<IReadOnlyList<ConsumedRecord>> PollsAsync(Consumer consumer, int? timeoutMs, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        while (true)
        {
            IReadOnlyList<ConsumedRecord> records;
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
            waiting.CancelAfter(timeoutMs is >= 0 and int ms ? TimeSpan.FromMilliseconds(ms) : System.Threading.Timeout.InfiniteTimeSpan);
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

    /// <summary>The consumer's properties, with what the command line says of the same.</summary>
    internal static IReadOnlyDictionary<string, string> Properties(ParseResult parsed)
    {
        var properties = new Dictionary<string, string>(Cluster.Properties(parsed), StringComparer.Ordinal);
        if (parsed.GetValue(Partition) is not null)
        {
            properties.Remove("group.id");
        }
        Put("group.id", parsed.GetValue(Group));
        Put("isolation.level", parsed.GetValue(IsolationLevel));
        Put("auto.offset.reset", parsed.GetValue(FromBeginning) ? "earliest" : parsed.GetValue(Offset) is "earliest" or "latest" ? parsed.GetValue(Offset) : null);
        properties.TryAdd("auto.offset.reset", "latest");
        return properties;

        void Put(string name, string? value)
        {
            if (value is not null)
            {
                properties[name] = value;
            }
        }
    }

    private static bool PrintsNothing(string? formatter) => formatter?[(formatter.LastIndexOfAny(['.', '$']) + 1)..] switch
    {
        null or "DefaultMessageFormatter" or "LoggingMessageFormatter" => false,
        "NoOpMessageFormatter" => true,
        _ => throw new KafkaToolException($"{formatter}: there are DefaultMessageFormatter, LoggingMessageFormatter and NoOpMessageFormatter here. "
            + "What a group has committed kafka-consumer-groups --describe shows", "java.lang.ClassNotFoundException"),
    };

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

    // The command line goes before the file.
    private static Dictionary<string, string> Format(ParseResult parsed)
    {
        Dictionary<string, string> properties = parsed.GetValue(FormatterConfig) is { } file ? JavaProperties.ReadFile(file) : new(StringComparer.Ordinal);
        if (parsed.GetValue(KeyDeserializer) is { } key)
        {
            properties["key.deserializer"] = key;
        }
        if (parsed.GetValue(ValueDeserializer) is { } value)
        {
            properties["value.deserializer"] = value;
        }
        foreach ((string name, string given) in JavaProperties.Pairs("--formatter-property", parsed.GetValue(Property)))
        {
            properties[name] = given;
        }
        return properties;
    }
}
