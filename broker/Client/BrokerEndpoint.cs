using System.Globalization;

namespace LogPipeline.Client;

/// <summary>Where a broker listens.</summary>
/// <param name="Host">Name or address; IPv6 without brackets.</param>
/// <param name="Port">1 to 65535.</param>
public readonly record struct BrokerEndpoint(string Host, int Port)
{
    /// <summary>Reads <c>host</c>, <c>host:port</c> or <c>[v6]:port</c>; throws <see cref="ArgumentException"/> saying what is wrong.</summary>
    public static BrokerEndpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string host = text;
        string port = "9092";
        int bracket = text.LastIndexOf(']');
        int colon = text.LastIndexOf(':');
        if (colon > bracket)
        {
            (host, port) = (text[..colon], text[(colon + 1)..]);
        }
        host = host.Length > 1 && host[0] == '[' && host[^1] == ']' ? host[1..^1] : host;
        return host.Length > 0 && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and < 65536
            ? new BrokerEndpoint(host, number)
            : throw new ArgumentException($"'{text}' is not host:port");
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
