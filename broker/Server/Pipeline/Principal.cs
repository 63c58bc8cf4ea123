namespace LogPipeline.Broker.Pipeline;

/// <summary>On whose behalf a request is made, as Kafka's ACLs name it: <c>User:alice</c>.</summary>
public sealed record Principal(string Type, string Name)
{
    /// <summary>A client that proved nothing, on a listener that asks for nothing.</summary>
    public static Principal Anonymous { get; } = new("User", "ANONYMOUS");

    public override string ToString() => $"{Type}:{Name}";
}
