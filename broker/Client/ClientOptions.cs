using LogPipeline.Files.Waiting;

namespace LogPipeline.Client;

/// <summary>How a client reaches a cluster. Checked by <see cref="Validate"/> when a <see cref="Metadata.ClusterClient"/> is made.</summary>
public sealed record ClientOptions
{
    /// <summary>Brokers to ask first, at least one: <c>host:port</c>, or <c>[::1]:9092</c> for IPv6. The port may be left out and is then 9092.</summary>
    public IReadOnlyList<string> Bootstrap { get; init; } = [];

    /// <summary>Name under which the broker's logs and metrics show this client.</summary>
    public string ClientId { get; init; } = "logpipe";

    /// <summary>How long one connection attempt, its handshake included, may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a broker may take to answer a request; after that the client breaks the connection.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long finding a broker, a topic or a coordinator may take in all, retries included.</summary>
    public TimeSpan LookupTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Delay before the first retry; it doubles with each failure up to <see cref="RetryDelayMax"/>, and chance shortens it by up to half.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest delay between retries.</summary>
    public TimeSpan RetryDelayMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Age at which cached metadata is requested again.</summary>
    public TimeSpan MetadataMaxAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether a metadata request for an unknown topic may create it, if the broker allows that.</summary>
    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>Called after each try to connect to a broker: with null when it worked. Runs on the context of the first caller who wanted the connection.</summary>
    public Action<BrokerEndpoint, BrokerUnreachableException?>? Tried { get; init; }

    /// <summary>Largest response accepted, in bytes; the client breaks the connection on a longer one.</summary>
    public int ResponseBytesMax { get; init; } = 256 << 20;

    /// <summary>The delays between retries that the two settings describe.</summary>
    internal BackOff BackOff => new(RetryDelay, RetryDelayMax);

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">Names the first setting that cannot be used.</exception>
    public void Validate()
    {
        if (Bootstrap.Count == 0)
        {
            throw new ArgumentException("bootstrap: at least one host:port is needed");
        }
        foreach (string endpoint in Bootstrap)
        {
            BrokerEndpoint.Parse(endpoint);
        }
        Positive(ConnectTimeout, nameof(ConnectTimeout));
        Positive(RequestTimeout, nameof(RequestTimeout));
        Positive(LookupTimeout, nameof(LookupTimeout));
        Positive(RetryDelay, nameof(RetryDelay));
        Positive(MetadataMaxAge, nameof(MetadataMaxAge));
        if (RetryDelayMax < RetryDelay)
        {
            throw new ArgumentException($"{nameof(RetryDelayMax)} {RetryDelayMax} is below {nameof(RetryDelay)} {RetryDelay}");
        }
        if (ResponseBytesMax < 1 << 16)
        {
            throw new ArgumentException($"{nameof(ResponseBytesMax)} {ResponseBytesMax} is below 65536");
        }
    }

    private static void Positive(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero)
        {
            throw new ArgumentException($"{name} {value} is not positive");
        }
    }
}
