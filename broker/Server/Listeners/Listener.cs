namespace LogPipeline.Broker.Listeners;

/// <summary>How bytes travel on a listener and how clients prove who they are.</summary>
public enum SecurityProtocol
{
    /// <summary>TCP as it is; every client is anonymous.</summary>
    Plaintext,

    /// <summary>TLS; the client's certificate may name it. Not served yet.</summary>
    Ssl,

    /// <summary>TCP as it is, after a SASL exchange. Not served yet.</summary>
    SaslPlaintext,

    /// <summary>TLS, and a SASL exchange inside. Not served yet.</summary>
    SaslSsl,
}

/// <summary>One address that the broker serves. Clients that come in on it are told of addresses of the same listener.</summary>
/// <param name="Name">Its name, in capitals; unique in a broker.</param>
/// <param name="Protocol">What is spoken on it.</param>
/// <param name="Bind">Where to listen; an empty host or * means all interfaces, port 0 a free port.</param>
/// <param name="Advertised">The address told to its clients; null: the one that each came in on.</param>
public sealed record Listener(string Name, SecurityProtocol Protocol, HostPort Bind, HostPort? Advertised)
{
    /// <summary>As the setting <c>listeners</c> has it: <c>NAME://host:port</c>.</summary>
    public override string ToString() => $"{Name}://{Bind}";
}
