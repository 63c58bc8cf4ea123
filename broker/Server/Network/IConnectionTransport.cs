using System.Net;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Network;

/// <summary>One client's connection: a socket, or the simulator's network.</summary>
public interface IConnectionTransport : IAsyncDisposable
{
    /// <summary>The address the client came in on.</summary>
    EndPoint? LocalEndPoint { get; }

    /// <summary>The client's address.</summary>
    EndPoint? RemoteEndPoint { get; }

    /// <summary>Cancelled when the client has closed its side or the connection is broken: nobody waits for an answer any more.</summary>
    CancellationToken Gone { get; }

    /// <summary>Bytes received, at least one; 0 when the client has closed its side.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation);

    /// <summary>Sends a whole frame with its splices; does not dispose it. One send at a time.</summary>
    ValueTask SendAsync(FrameBuffer frame, CancellationToken cancellation);

    /// <summary>Breaks the connection at once: pending calls fail.</summary>
    void Abort();
}
