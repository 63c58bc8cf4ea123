using System.Globalization;

namespace LogPipeline.Broker.Cluster;

/// <summary>What a configuration belongs to.</summary>
/// <param name="Type">Kafka's number for the kind of resource.</param>
/// <param name="Name">A topic's name; or a node id in decimal, or nothing for all brokers of the cluster.</param>
internal readonly record struct ConfigResource(sbyte Type, string Name)
{
    public const sbyte TopicType = 2;
    public const sbyte BrokerType = 4;
    public const sbyte BrokerLoggersType = 8;

    /// <summary>All brokers of the cluster.</summary>
    public static ConfigResource Cluster { get; } = new(BrokerType, "");

    public static ConfigResource Topic(string name) => new(TopicType, name);

    public static ConfigResource Broker(int node) => new(BrokerType, node.ToString(CultureInfo.InvariantCulture));
}
