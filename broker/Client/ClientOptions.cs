namespace LogPipeline.Client;

/// <summary>How a client reaches a cluster. Checked by <see cref="Validate"/> when a <see cref="Metadata.ClusterClient"/> is made.</summary>
public sealed record ClientOptions
{
    /// <summary>Where to ask first: <c>host:port</c>, at least one; <c>[::1]:9092</c> for IPv6; without a port 9092.</summary>
    public IReadOnlyList<string> Bootstrap { get; init; } = [];

    /// <summary>Shown in the broker's logs and metrics.</summary>
    public string ClientId { get; init; } = "logpipe";

    /// <summary>How long one connection attempt, its handshake included, may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a broker may take to answer; then its connection is broken.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long finding a broker, a topic or a coordinator may take in all, retries included.</summary>
    public TimeSpan LookupTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Delay before the first retry; doubles, with jitter, up to <see cref="RetryDelayMax"/>.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest delay between retries.</summary>
    public TimeSpan RetryDelayMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Age at which cached metadata is asked for anew.</summary>
    public TimeSpan MetadataMaxAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether asking for an unknown topic may create it, where the broker allows it.</summary>
    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>Largest response taken, bytes; a longer one breaks the connection.</summary>
    public int ResponseBytesMax { get; init; } = 256 << 20;

    /// <summary>Throws <see cref="ArgumentException"/> naming the first setting that cannot be.</summary>
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
