using LogPipeline.Client.Connections;
using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Network;

/// <summary>A life's way to the brokers.</summary>
internal sealed class SimConnector(SimNetwork network, Life life) : IConnector
{
    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken ct) =>
        new LinkStream(await network.ConnectAsync(life, host, port, ct));
}
