using System.CommandLine;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-cluster cluster-id</c></summary>
internal static class ClusterTool
{
    private static readonly ClusterOptions Cluster = new();

    public static Command Create()
    {
        var id = new KafkaTool("cluster-id", "Print the cluster's id.", "logpipe kafka cluster cluster-id --bootstrap-server 127.0.0.1:9092");
        Cluster.AddTo(id);
        id.Runs(static async (parsed, stop) =>
        {
            await using ClusterClient cluster = Cluster.Connect(parsed);
            Console.WriteLine($"Cluster ID: {(await new AdminClient(cluster).DescribeClusterAsync(stop)).ClusterId}");
            return Exit.Done;
        });
        return new Verb("cluster", "Tell which cluster it is (kafka-cluster).", "logpipe kafka cluster cluster-id --bootstrap-server 127.0.0.1:9092") { id };
    }
}
