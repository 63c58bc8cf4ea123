using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Pipeline;

namespace LogPipeline.Broker.Cluster;

/// <summary>A broker that has registered.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Epoch">Rises with each registration.</param>
/// <param name="Addresses">By listener's name, the addresses that its settings say clients are to be told.</param>
internal sealed record BrokerImage(int Id, long Epoch, IReadOnlyDictionary<string, HostPort> Addresses)
{
    /// <summary>
    /// The address at which a client finds this broker on the listener that it came in on. Where the settings name none, it is the one
    /// that the client came in on.
    /// </summary>
    public HostPort AddressFor(ClientConnection connection) =>
        Addresses.TryGetValue(connection.Listener.Name, out HostPort address) ? address : connection.Advertised;
}
