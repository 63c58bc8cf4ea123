using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Verbs;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-console-producer</c>: each line of standard input becomes a record.</summary>
internal static class ConsoleProducerTool
{
    private static readonly ClusterOptions Cluster = new(["--command-config", "--producer.config"], ["--command-property", "--producer-property"], ProducerProperties.Names);
    private static readonly Option<string> Topic = new("--topic") { Description = "The topic; created when it is not there and the broker allows it", HelpName = "NAME", Required = true };
    private static readonly Option<string[]> Property = new("--reader-property", "--property") { Description = "How lines are read, such as parse.key=true; may be repeated", HelpName = "KEY=VALUE" };
    private static readonly Option<string?> AcksWanted = new("--request-required-acks", "--producer-acks") { Description = "Who must have a record: all, 1 or 0", HelpName = "ACKS" };
    private static readonly Option<string?> Compression = new("--compression-codec") { Description = "none, gzip, snappy, lz4 or zstd; gzip without a name", HelpName = "CODEC", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<int?> BatchSize = new("--batch-size") { Description = "Bytes of a batch", HelpName = "N" };
    private static readonly Option<int?> Linger = new("--timeout") { Description = "Milliseconds that a batch waits for more records", HelpName = "MS" };
    private static readonly Option<bool> Sync = new("--sync") { Description = "Wait for each record before the next one is read" };
    private static readonly Option<string?> ReaderConfig = new("--reader-config") { Description = "A file of reader properties", HelpName = "FILE" };
    private static readonly Option<string?> LineReaderClass = new("--line-reader") { Description = "Kafka's class that reads: LineMessageReader", HelpName = "CLASS" };

    /// <summary>Options that say what a property of the producer says.</summary>
    private static readonly (Option<string?> Option, string Property)[] Tuning =
    [
        (new("--max-block-ms"), "max.block.ms"), (new("--max-memory-bytes"), "buffer.memory"), (new("--max-partition-memory-bytes"), "batch.size"),
        (new("--message-send-max-retries"), "retries"), (new("--metadata-expiry-ms"), "metadata.max.age.ms"), (new("--request-timeout-ms"), "request.timeout.ms"),
        (new("--retry-backoff-ms"), "retry.backoff.ms"), (new("--socket-buffer-size"), "send.buffer.bytes"),
    ];

    public static Command Create()
    {
        var tool = new KafkaTool("console-producer", "Send every line of standard input to a topic (kafka-console-producer).",
            "echo hello | logpipe kafka console-producer --topic quickstart-events --bootstrap-server 127.0.0.1:9092",
            "logpipe kafka console-producer --topic pairs --property parse.key=true --property key.separator=: < pairs.txt");
        Cluster.AddTo(tool);
        foreach (Option option in new Option[] { Topic, Property, AcksWanted, Compression, BatchSize, Linger, Sync, ReaderConfig, LineReaderClass })
        {
            tool.Options.Add(option);
        }
        foreach ((Option<string?> option, string property) in Tuning)
        {
            option.Description = $"The producer's {property}";
            tool.Options.Add(option);
        }
        tool.Runs(RunAsync);
        return tool;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        if (parsed.GetValue(LineReaderClass) is { } reader && !reader.EndsWith("LineMessageReader", StringComparison.Ordinal))
        {
            throw new KafkaToolException($"{reader}: there is LineMessageReader here", "java.lang.ClassNotFoundException");
        }
        var parser = new LineParser(parsed.GetRequiredValue(Topic), ReaderProperties(parsed));
        IReadOnlyDictionary<string, string> properties = Properties(parsed);
        await using ClusterClient cluster = Cluster.Connect(parsed, properties, createsTopics: true);
        await using var producer = new Producer(ProducerProperties.Options(properties), cluster, TimeProvider.System, Random.Shared);
        await SendAsync(producer, parser, parsed.GetValue(Sync), stop);
        return Exit.Done;
    }

    /// <summary>The producer's properties, with what the command line says of the same.</summary>
    internal static IReadOnlyDictionary<string, string> Properties(ParseResult parsed)
    {
        var properties = new Dictionary<string, string>(Cluster.Properties(parsed), StringComparer.Ordinal);
        Put("acks", parsed.GetValue(AcksWanted));
        Put("compression.type", parsed.GetResult(Compression) is { Implicit: false } ? parsed.GetValue(Compression) ?? "gzip" : null);
        Put("batch.size", parsed.GetValue(BatchSize)?.ToString(CultureInfo.InvariantCulture));
        Put("linger.ms", parsed.GetValue(Linger)?.ToString(CultureInfo.InvariantCulture));
        foreach ((Option<string?> option, string property) in Tuning)
        {
            Put(property, parsed.GetValue(option));
        }
        return properties;

        void Put(string name, string? value)
        {
            if (value is not null)
            {
                properties[name] = value;
            }
        }
    }

    private static Dictionary<string, string> ReaderProperties(ParseResult parsed)
    {
        Dictionary<string, string> properties = parsed.GetValue(ReaderConfig) is { } file ? JavaProperties.ReadFile(file) : new(StringComparer.Ordinal);
        foreach ((string name, string value) in JavaProperties.Pairs("--reader-property", parsed.GetValue(Property)))
        {
            properties[name] = value;
        }
        return properties;
    }

    // What was read before a line that cannot be parsed is sent, as by Kafka's.
    private static async Task SendAsync(Producer producer, LineParser parser, bool sync, CancellationToken stop)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Exception? failure = null;
        var lines = new LineReader(Console.OpenStandardInput());
        try
        {
            Prompt();
            while (await lines.ReadAsync(failed.Token) is { } line)
            {
                await producer.PostAsync(parser.Parse(line), Delivered, failed.Token);
                if (sync)
                {
                    await producer.FlushAsync(failed.Token);
                }
                Prompt();
            }
            await producer.FlushAsync(failed.Token);
        }
        catch (KafkaToolException)
        {
            await producer.FlushAsync(stop);
            throw;
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // told below
        }
        if (failure is not null)
        {
            throw failure;
        }

        void Delivered(DeliveryResult result, Exception? error)
        {
            if (error is not null && Interlocked.CompareExchange(ref failure, error, null) is null)
            {
                failed.Cancel();
            }
        }
    }

    private static void Prompt()
    {
        if (!Console.IsInputRedirected)
        {
            Console.Write('>');
        }
    }
}
