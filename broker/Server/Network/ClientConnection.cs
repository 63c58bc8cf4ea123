using System.Net;

namespace LogPipeline.Broker.Network;

/// <summary>What handlers may know of the connection that a request came in on.</summary>
public sealed class ClientConnection(EndPoint? local, EndPoint? remote, CancellationToken gone)
{
    /// <summary>The address the client came in on; told to it in Metadata unless an address is configured.</summary>
    public EndPoint? LocalEndPoint { get; } = local;

    public EndPoint? RemoteEndPoint { get; } = remote;

    /// <summary>Cancelled when the client has closed its side or the connection is broken; ends what is parked for it.</summary>
    public CancellationToken Gone => gone;

    /// <summary>The client's host as group tools show it: a slash and the address.</summary>
    public string ClientHost { get; } = remote switch
    {
        IPEndPoint ip => "/" + (ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address),
        DnsEndPoint dns => "/" + dns.Host,
        _ => "/unknown",
    };
}
