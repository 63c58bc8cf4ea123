namespace LogPipeline.Broker.Pipeline;

/// <summary>What a handler knows of a request besides its body.</summary>
internal sealed record RequestContext(
    ClientConnection Connection, IAuthorizer Authorizer, short Version, int CorrelationId, string ClientId)
{
    /// <summary>On whose behalf the request is made.</summary>
    public Principal Principal => Connection.Principal ?? Principal.Anonymous;

    /// <summary>How long the client must be silent afterwards; set by the pipeline, told in the answer.</summary>
    public TimeSpan ThrottleTime { get; set; }

    /// <summary>Whether the client may do something with a resource.</summary>
    public bool Allows(Operation operation, ResourceType type, string name) =>
        Authorizer.Allows(Principal, Connection.ClientHost, operation, type, name);
}
