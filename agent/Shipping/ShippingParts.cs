using LogPipeline.Agent.State;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol.Compression;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Shipping;

/// <summary>What all logs of an agent share.</summary>
internal sealed record ShippingParts(
    AgentOptions Options,
    AgentState State,
    Generations Generations,
    ClusterClient Cluster,
    LogDirectory Directory,
    UnackedBudget Budget,
    BatchBuilders Builders,
    AgentMetrics Metrics,
    Troubles Troubles,
    TimeProvider Time,
    ILogger Logger)
{
    public CompressionCodec Codec => CodecOf(Options);

    public static CompressionCodec CodecOf(AgentOptions options) => options.Compression switch
    {
        BatchCompression.Lz4 => CompressionCodec.Lz4,
        BatchCompression.Gzip => CompressionCodec.Gzip,
        _ => CompressionCodec.None,
    };
}
