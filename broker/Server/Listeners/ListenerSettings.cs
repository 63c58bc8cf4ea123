using LogPipeline.Broker.Settings;

namespace LogPipeline.Broker.Listeners;

// Kafka's settings and rules:
//   listeners                         NAME://host:port, …       where to listen; plain host:port is PLAINTEXT
//   listener.security.protocol.map    NAME:PROTOCOL, …          by default each protocol is the name of a listener
//   advertised.listeners              NAME://host:port, …       what clients of a listener are told
//   inter.broker.listener.name        NAME                      which one brokers use among themselves
//   controller.listener.names         NAME, …                   for a quorum of controllers: there is none, so these are not served
// What is not understood, or cannot be done yet, refuses the start in one line: serving something else than was asked for would
// show data to the wrong clients.
/// <summary>Works out the listeners from the settings.</summary>
internal static class ListenerSettings
{
    private const string Plaintext = "PLAINTEXT";

    private static readonly Dictionary<string, SecurityProtocol> Protocols = new(StringComparer.OrdinalIgnoreCase)
    {
        [Plaintext] = SecurityProtocol.Plaintext,
        ["SSL"] = SecurityProtocol.Ssl,
        ["SASL_PLAINTEXT"] = SecurityProtocol.SaslPlaintext,
        ["SASL_SSL"] = SecurityProtocol.SaslSsl,
    };

    /// <summary>The listeners to serve, in the order given; at least one.</summary>
    /// <exception cref="BrokerStartException">What is wrong, and what to do.</exception>
    public static IReadOnlyList<Listener> Read(BrokerSettings settings, BrokerOptions options)
    {
        List<(string Name, HostPort Address)> bound = Addresses("listeners", settings.Listeners ?? options.Listen);
        Dictionary<string, SecurityProtocol> protocols = ProtocolMap(settings.ListenerProtocols);
        HashSet<string> controllers = Names("controller.listener.names", settings.ControllerListeners, bound);
        Names("inter.broker.listener.name", settings.InterBrokerListener, bound);
        Dictionary<string, HostPort> advertised = Advertised(settings.AdvertisedListeners ?? options.Advertise, bound);
        var listeners = new List<Listener>();
        foreach ((string name, HostPort address) in bound.Where(entry => !controllers.Contains(entry.Name)))
        {
            if (!protocols.TryGetValue(name, out SecurityProtocol protocol))
            {
                throw new BrokerStartException($"Listener {name}://{address} has no protocol: "
                    + $"set one in listener.security.protocol.map, for example {name}:{Plaintext}.");
            }
            if (protocol != SecurityProtocol.Plaintext)
            {
                throw new BrokerStartException($"Listener {name}://{address} wants {NameOf(protocol)}, which is not there yet: "
                    + $"only {Plaintext} is served. Take it out of listeners.");
            }
            listeners.Add(new Listener(name, protocol, address, advertised.TryGetValue(name, out HostPort told) ? told : null));
        }
        return listeners.Count > 0
            ? listeners
            : throw new BrokerStartException("No listener for clients is left: listeners names only those of controller.listener.names.");
    }

    private static List<(string Name, HostPort Address)> Addresses(string setting, string text)
    {
        var found = new List<(string Name, HostPort Address)>();
        foreach (string entry in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int scheme = entry.IndexOf("://", StringComparison.Ordinal);
            string name = scheme < 0 ? Plaintext : entry[..scheme].ToUpperInvariant();
            if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
                || HostPort.TryParse(scheme < 0 ? entry : entry[(scheme + 3)..]) is not { } address)
            {
                throw new BrokerStartException($"{entry} in {setting} is not an address; write host:port or NAME://host:port.");
            }
            if (found.Exists(other => other.Name == name))
            {
                throw new BrokerStartException($"{setting} names the listener {name} twice; give each a name of its own.");
            }
            if (address.Port != 0 && found.Exists(other => other.Address == address))
            {
                throw new BrokerStartException($"{setting} gives {address} to two listeners; each needs an address of its own.");
            }
            found.Add((name, address));
        }
        return found.Count > 0 ? found : throw new BrokerStartException($"{setting} is empty; write host:port or NAME://host:port.");
    }

    private static Dictionary<string, SecurityProtocol> ProtocolMap(string? text)
    {
        if (text is null)
        {
            return Protocols;
        }
        var map = new Dictionary<string, SecurityProtocol>(StringComparer.Ordinal);
        foreach (string entry in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = entry.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !Protocols.TryGetValue(entry[(colon + 1)..].Trim(), out SecurityProtocol protocol))
            {
                throw new BrokerStartException(
                    $"{entry} in listener.security.protocol.map is not NAME:PROTOCOL; protocols are {string.Join(", ", Protocols.Keys)}.");
            }
            map[entry[..colon].Trim().ToUpperInvariant()] = protocol;
        }
        return map;
    }

    private static HashSet<string> Names(string setting, string? text, List<(string Name, HostPort Address)> bound)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string entry in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            names.Add(Known(setting, entry.ToUpperInvariant(), bound));
        }
        return names;
    }

    private static string Known(string setting, string name, List<(string Name, HostPort Address)> bound)
    {
        string known = string.Join(", ", bound.Select(entry => entry.Name));
        return bound.Exists(entry => entry.Name == name)
            ? name
            : throw new BrokerStartException($"{setting} names the listener {name}, which is not in listeners ({known}).");
    }

    // A plain host:port is the address of the one listener there is, whatever its name.
    private static Dictionary<string, HostPort> Advertised(string? text, List<(string Name, HostPort Address)> bound)
    {
        var told = new Dictionary<string, HostPort>(StringComparer.Ordinal);
        if (text is null)
        {
            return told;
        }
        bool isPlain = !text.Contains("://", StringComparison.Ordinal);
        if (isPlain && bound.Count > 1)
        {
            throw new BrokerStartException($"{text} is advertised for {bound.Count} listeners; write NAME://host:port for each.");
        }
        foreach ((string name, HostPort address) in Addresses("advertised.listeners", text))
        {
            if (address.IsAnyAddress || address.Port == 0)
            {
                throw new BrokerStartException($"{address} cannot be advertised: clients need a host and a port that they can connect to.");
            }
            told[isPlain ? bound[0].Name : Known("advertised.listeners", name, bound)] = address;
        }
        return told;
    }

    private static string NameOf(SecurityProtocol protocol) => Protocols.First(entry => entry.Value == protocol).Key;
}
