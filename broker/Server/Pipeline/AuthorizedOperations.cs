namespace LogPipeline.Broker.Pipeline;

/// <summary>The operations that a client may do with a resource, told where a request asks for them (KIP-430).</summary>
internal static class AuthorizedOperations
{
    /// <summary>The name of the one resource of type <see cref="ResourceType.Cluster"/>.</summary>
    public const string ClusterName = "kafka-cluster";

    /// <summary>The answer to a request that does not ask.</summary>
    public const int NotAsked = int.MinValue;

    private static readonly Operation[] OnTopics =
    [
        Operation.Read, Operation.Write, Operation.Create, Operation.Delete, Operation.Alter, Operation.Describe,
        Operation.DescribeConfigs, Operation.AlterConfigs,
    ];

    private static readonly Operation[] OnGroups =
        [Operation.Read, Operation.Delete, Operation.Describe, Operation.DescribeConfigs, Operation.AlterConfigs];

    private static readonly Operation[] OnCluster =
    [
        Operation.Create, Operation.Alter, Operation.Describe, Operation.ClusterAction, Operation.DescribeConfigs,
        Operation.AlterConfigs, Operation.IdempotentWrite,
    ];

    /// <summary>A bit field: bit n is the operation of number n.</summary>
    public static int Of(RequestContext context, ResourceType type, string name)
    {
        Operation[] possible = type switch
        {
            ResourceType.Topic => OnTopics,
            ResourceType.Group => OnGroups,
            _ => OnCluster,
        };
        return possible.Where(operation => context.Allows(operation, type, name)).Aggregate(0, static (bits, operation) => bits | (1 << (int)operation));
    }

    /// <summary>The same for the cluster.</summary>
    public static int OfCluster(RequestContext context) => Of(context, ResourceType.Cluster, ClusterName);
}
