namespace LogPipeline.Broker.Cluster;

/// <summary>What a configuration belongs to.</summary>
/// <param name="Type">Kafka's number for the kind of resource.</param>
/// <param name="Name">A topic's name, or a node id in decimal.</param>
internal readonly record struct ConfigResource(sbyte Type, string Name)
{
    public const sbyte TopicType = 2;
    public const sbyte BrokerType = 4;

    public static ConfigResource Topic(string name) => new(TopicType, name);
}
