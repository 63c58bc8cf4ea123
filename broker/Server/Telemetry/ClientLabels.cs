namespace LogPipeline.Broker.Telemetry;

/// <summary>
/// Client ids as values of a metric's label: those of the first hundred clients, and <see cref="Others"/> for the rest, so that no client
/// makes a metric grow without bound. May be called from any thread.
/// </summary>
internal sealed class ClientLabels
{
    public const string Others = "other";

    /// <summary>How many clients are told apart.</summary>
    public const int ClientsMax = 100;

    private const int LengthMax = 100;

    private readonly Lock _lock = new(); // guards _known
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>The label of a client, empty for one without an id.</summary>
    public string Of(string clientId)
    {
        if (clientId.Length > LengthMax)
        {
            return Others;
        }
        lock (_lock)
        {
            return _known.Contains(clientId) || (_known.Count < ClientsMax && _known.Add(clientId)) ? clientId : Others;
        }
    }
}
