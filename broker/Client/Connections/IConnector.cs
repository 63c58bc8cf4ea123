namespace LogPipeline.Client.Connections;

/// <summary>The transport seam: sockets in production, memory under the simulator.</summary>
public interface IConnector
{
    /// <summary>Opens a byte stream to a broker; throws <see cref="IOException"/> or a socket exception when nobody answers.</summary>
    ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken ct);
}
