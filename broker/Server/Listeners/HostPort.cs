using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LogPipeline.Broker.Listeners;

/// <summary>A host and a port. An IPv6 address stands without its brackets.</summary>
public readonly record struct HostPort(string Host, int Port)
{
    /// <summary>Reads <c>host:port</c> or <c>[ipv6]:port</c>; null when the text is no such thing.</summary>
    public static HostPort? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            return null;
        }
        string host = text[..colon].Trim('[', ']');
        return host.All(IsHostCharacter) ? new HostPort(host, port) : null;
    }

    /// <summary>Whether it stands for all addresses of this machine: nothing that a client could connect to.</summary>
    public bool IsAnyAddress => Host is "" or "*"
        || (IPAddress.TryParse(Host, out IPAddress? address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)));

    /// <summary>The address to bind: an empty host or * means all interfaces.</summary>
    /// <exception cref="BrokerStartException">The host is not known.</exception>
    public IPEndPoint Resolve()
    {
        if (Host is "" or "*")
        {
            return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, Port);
        }
        if (IPAddress.TryParse(Host, out IPAddress? address))
        {
            return new IPEndPoint(address, Port);
        }
        try
        {
            IPAddress[] found = Dns.GetHostAddresses(Host);
            return new IPEndPoint(found.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? found[0], Port);
        }
        catch (SocketException e)
        {
            throw new BrokerStartException($"The host {Host} to listen on is not known: {e.Message}.", e);
        }
    }

    /// <summary>The address of a connection's own end; <c>localhost:9092</c> when it is of no kind that clients could use.</summary>
    internal static HostPort Of(EndPoint? address) => address switch
    {
        IPEndPoint ip => new HostPort((ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address).ToString(), ip.Port),
        DnsEndPoint dns => new HostPort(dns.Host, dns.Port),
        _ => new HostPort("localhost", 9092),
    };

    private static bool IsHostCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '%' or '*';

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
