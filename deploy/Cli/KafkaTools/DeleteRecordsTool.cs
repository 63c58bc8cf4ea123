using System.CommandLine;
using System.Text.Json;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-delete-records</c>: deletes records below offsets that a file of JSON names.</summary>
internal static class DeleteRecordsTool
{
    private static readonly ClusterOptions Cluster = new();
    private static readonly Option<string> File = new("--offset-json-file")
    {
        Description = "{\"partitions\":[{\"topic\":\"t\",\"partition\":0,\"offset\":1}],\"version\":1}; -1 deletes all", HelpName = "FILE", Required = true,
    };

    public static Command Create()
    {
        var tool = new KafkaTool("delete-records", "Delete the records below offsets (kafka-delete-records).",
            "logpipe kafka delete-records --offset-json-file offsets.json --bootstrap-server 127.0.0.1:9092");
        Cluster.AddTo(tool);
        tool.Options.Add(File);
        tool.Runs(RunAsync);
        return tool;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        List<(TopicPartition Partition, long Offset)> wanted = Read(parsed.GetRequiredValue(File));
        await using ClusterClient cluster = Cluster.Connect(parsed);
        var admin = new AdminClient(cluster);
        Console.WriteLine("Executing records delete operation");
        Console.WriteLine("Records delete operation completed:");
        foreach ((TopicPartition partition, long offset) in wanted)
        {
            try
            {
                long end = offset < 0 ? (await admin.OffsetAsync(partition, OffsetSpec.Latest, stop)).Offset : offset;
                Console.WriteLine($"partition: {partition}\tlow_watermark: {await admin.DeleteRecordsAsync(partition, end, stop)}");
            }
            catch (BrokerErrorException e)
            {
                Console.WriteLine($"partition: {partition}\terror: {JavaException.NameOf(e.Code)}: {e.Message}");
            }
        }
        return Exit.Done;
    }

    private static List<(TopicPartition Partition, long Offset)> Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(System.IO.File.ReadAllBytes(path));
            return [.. json.RootElement.GetProperty("partitions").EnumerateArray().Select(static entry =>
                (new TopicPartition(entry.GetProperty("topic").GetString() ?? "", entry.GetProperty("partition").GetInt32()), entry.GetProperty("offset").GetInt64()))];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new KafkaToolException($"{path}: {e.Message}", "kafka.common.AdminCommandFailedException");
        }
    }
}
