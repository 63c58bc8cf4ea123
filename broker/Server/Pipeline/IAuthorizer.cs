namespace LogPipeline.Broker.Pipeline;

/// <summary>What a principal may be allowed to do with a resource; numbers are Kafka's AclOperation.</summary>
public enum Operation : sbyte
{
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
}

/// <summary>What is protected; numbers are Kafka's ResourceType.</summary>
public enum ResourceType : sbyte
{
    Topic = 2,
    Group = 3,
    Cluster = 4,
    TransactionalId = 5,
}

/// <summary>Decides who may do what. May be called from any thread, for each resource of a request: it answers from memory.</summary>
public interface IAuthorizer
{
    /// <summary>Whether a principal, coming from a host, may do something with the resource of that name.</summary>
    bool Allows(Principal principal, string clientHost, Operation operation, ResourceType type, string name);
}

/// <summary>Allows everything: the authorizer of a broker without access lists.</summary>
internal sealed class AllowAll : IAuthorizer
{
    public static AllowAll Instance { get; } = new();

    public bool Allows(Principal principal, string clientHost, Operation operation, ResourceType type, string name) => true;
}
