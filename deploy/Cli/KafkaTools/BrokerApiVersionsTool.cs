using System.CommandLine;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-broker-api-versions</c>: what a broker speaks. Compose files ask it whether the broker serves.</summary>
internal static class BrokerApiVersionsTool
{
    private static readonly ClusterOptions Cluster = new();

    public static Command Create()
    {
        var tool = new KafkaTool("broker-api-versions", "Print which versions of each API the broker serves (kafka-broker-api-versions).",
            "logpipe kafka broker-api-versions --bootstrap-server 127.0.0.1:9092");
        Cluster.AddTo(tool);
        tool.Runs(RunAsync);
        return tool;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        await using ClusterClient cluster = Cluster.Connect(parsed);
        IReadOnlyList<BrokerNode> brokers = (await new AdminClient(cluster).DescribeClusterAsync(stop)).Brokers;
        BrokerConnection broker = await cluster.AnyAsync(stop);
        BrokerNode? node = brokers.FirstOrDefault(one => one.Endpoint == broker.Endpoint);
        var request = new ApiVersionsRequest { ClientSoftwareName = "logpipe", ClientSoftwareVersion = Product.Version };
        ApiVersionsResponse answer = await broker.SendAsync<ApiVersionsRequest, ApiVersionsResponse>(request, stop);
        if (answer.ErrorCode != ErrorCode.None)
        {
            throw new BrokerErrorException(answer.ErrorCode, $"{broker.Endpoint} does not tell its versions: {answer.ErrorCode}");
        }
        Console.WriteLine($"{broker.Endpoint} (id: {node?.NodeId ?? -1} rack: {node?.Rack ?? "null"} isFenced: false) -> (");
        Console.WriteLine(string.Join(",\n", answer.ApiKeys.Select(static api => $"\t{(Enum.IsDefined((ApiKey)api.ApiKey) ? ((ApiKey)api.ApiKey).ToString() : "UNKNOWN")}({api.ApiKey}): {Range(api.MinVersion, api.MaxVersion)}")));
        Console.WriteLine(")");
        return Exit.Done;
    }

    private static string Range(short min, short max) => min == max ? $"{min} [usable: {max}]" : $"{min} to {max} [usable: {max}]";
}
