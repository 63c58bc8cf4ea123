using System.Net;
using LogPipeline.Broker.Network;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Simulation.Network;

/// <summary>A client's connection as the broker's connection loop sees it. A witness reads along.</summary>
internal sealed class BrokerTransport(LinkEnd end, IWireWitness? witness) : IConnectionTransport
{
    private readonly CancellationTokenSource _gone = new();

    public EndPoint? LocalEndPoint { get; } = new DnsEndPoint("broker", 9092);

    public EndPoint? RemoteEndPoint { get; } = new DnsEndPoint("client", 1);

    public CancellationToken Gone => _gone.Token;

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        int count = await end.ReceiveAsync(buffer, cancellation);
        witness?.Received(buffer.Span[..count]);
        return count;
    }

    public async ValueTask SendAsync(FrameBuffer frame, CancellationToken cancellation)
    {
        byte[] bytes = new byte[frame.TotalLength];
        frame.CopyTo(bytes);
        witness?.Sending(bytes);
        await end.SendAsync(bytes, cancellation);
    }

    public void Abort()
    {
        end.Abort();
        _gone.Cancel();
    }

    public ValueTask DisposeAsync()
    {
        end.Close();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Reads along on one connection at the broker's side.</summary>
internal interface IWireWitness
{
    /// <summary>Bytes that the broker has taken in.</summary>
    void Received(ReadOnlySpan<byte> bytes);

    /// <summary>Whole frames, their sizes included, that the broker is about to send.</summary>
    void Sending(ReadOnlyMemory<byte> frames);
}
