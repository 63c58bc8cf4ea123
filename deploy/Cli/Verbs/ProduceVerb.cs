using System.CommandLine;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe produce TOPIC</c>: every line of standard input becomes a record, byte for byte.</summary>
internal static class ProduceVerb
{
    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Argument<string> Topic = new("TOPIC") { Description = "Created when it is not there and the broker allows it" };
    private static readonly Option<int?> Partition = new("--partition", "-p") { Description = "All records to this partition", HelpName = "N" };
    private static readonly Option<string?> KeySeparator = new("--key-separator", "-k") { Description = "What stands before the first such text in a line is the record's key", HelpName = "TEXT" };

    private static readonly Option<string> AcksWanted = new("--acks")
    {
        Description = "Who must have a record before it counts: all, 1 (the leader) or 0 (nobody)",
        HelpName = "all|1|0",
        DefaultValueFactory = _ => "all",
    };

    public static Command Create()
    {
        AcksWanted.AcceptOnlyFromAmong("all", "1", "0");
        var verb = new Verb("produce", "Send every line of standard input to a topic.",
            "echo hello | logpipe produce notes",
            "logpipe produce web_log --partition 0 < access.log",
            "printf 'k1:v1\\nk2:v2\\n' | logpipe produce pairs --key-separator :")
        {
            Topic, Partition, KeySeparator, AcksWanted, Bootstrap, Config,
        };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        Acks acks = parsed.GetValue(AcksWanted) switch { "0" => Acks.None, "1" => Acks.Leader, _ => Acks.All };
        byte[]? separator = parsed.GetValue(KeySeparator) is { Length: > 0 } text ? System.Text.Encoding.UTF8.GetBytes(text) : null;
        await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config, createsTopics: true);
        await using var producer = new Producer(new ProducerOptions { Acks = acks, Idempotent = acks == Acks.All }, cluster, TimeProvider.System, Random.Shared);
        // The first failure stops the reading: what follows would only fail too.
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Exception? failure = null;
        long sent = 0L;
        var lines = new LineReader(Console.OpenStandardInput());
        try
        {
            while (await lines.ReadAsync(failed.Token) is { } line)
            {
                await producer.PostAsync(Record(parsed, line, separator), Delivered, failed.Token);
            }
            await producer.FlushAsync(stop);
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // told below
        }
        if (failure is not null)
        {
            throw failure;
        }
        Console.Error.WriteLine($"sent {sent} record{(sent == 1 ? "" : "s")} to {parsed.GetValue(Topic)}");
        return Exit.Done;

        void Delivered(DeliveryResult result, Exception? error)
        {
            if (error is null)
            {
                Interlocked.Increment(ref sent);
            }
            else if (Interlocked.CompareExchange(ref failure, error, null) is null)
            {
                failed.Cancel();
            }
        }
    }

    private static ProducerRecord Record(ParseResult parsed, ReadOnlyMemory<byte> line, byte[]? separator)
    {
        int at = separator is null ? -1 : line.Span.IndexOf(separator);
        return new ProducerRecord
        {
            Topic = parsed.GetRequiredValue(Topic),
            Partition = parsed.GetValue(Partition),
            Key = at < 0 ? (ReadOnlyMemory<byte>?)null : line[..at],
            Value = at < 0 ? line : line[(at + separator!.Length)..],
        };
    }
}
