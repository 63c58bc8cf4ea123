using System.Globalization;
using System.Net;

namespace LogPipeline.Broker.Network;

/// <summary>An address as users write it: <c>host:port</c>, or Kafka's <c>NAME://host:port</c>.</summary>
internal readonly record struct HostPort(string Host, int Port)
{
    /// <exception cref="BrokerStartException">It is not an address.</exception>
    public static HostPort Parse(string text)
    {
        string address = text.Split(',')[0].Trim();
        int scheme = address.IndexOf("://", StringComparison.Ordinal);
        address = scheme < 0 ? address : address[(scheme + 3)..];
        int colon = address.LastIndexOf(':');
        return colon >= 0 && int.TryParse(address[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port <= 65535
            ? new HostPort(address[..colon].Trim('[', ']'), port)
            : throw new BrokerStartException($"{text} is not an address; write host:port.");
    }

    /// <summary>The address to bind: an empty host or * means all interfaces.</summary>
    /// <exception cref="BrokerStartException">The host is not known.</exception>
    public IPEndPoint Resolve()
    {
        if (Host is "" or "*")
        {
            return new IPEndPoint(System.Net.Sockets.Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, Port);
        }
        if (IPAddress.TryParse(Host, out IPAddress? address))
        {
            return new IPEndPoint(address, Port);
        }
        try
        {
            IPAddress[] found = Dns.GetHostAddresses(Host);
            return new IPEndPoint(found.FirstOrDefault(a => a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) ?? found[0], Port);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new BrokerStartException($"The host {Host} to listen on is not known: {e.Message}.", e);
        }
    }

    /// <summary>What a client is told: the configured address, or the one it came in on.</summary>
    public static HostPort Told(HostPort? configured, ClientConnection connection) => configured ?? connection.LocalEndPoint switch
    {
        IPEndPoint ip => new HostPort((ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address).ToString(), ip.Port),
        DnsEndPoint dns => new HostPort(dns.Host, dns.Port),
        _ => new HostPort("localhost", 9092),
    };
}
