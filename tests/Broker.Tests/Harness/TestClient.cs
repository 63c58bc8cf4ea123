using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Network;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Tests.Harness;

/// <summary>A client that says exactly what the test wants, over a connection in memory.</summary>
internal sealed class TestClient
{
    private readonly Task _loop;
    private int _correlation;

    public TestClient(BrokerCore core, TimeProvider time, MemoryTransport? transport = null, Listener? listener = null)
    {
        Transport = transport ?? new MemoryTransport();
        _loop = new ConnectionLoop(core, listener ?? core.Listeners[0], Transport, time).RunAsync(CancellationToken.None);
    }

    public MemoryTransport Transport { get; }

    public string ClientId { get; init; } = "test";

    /// <summary>Sends without waiting for the answer; gives the correlation id.</summary>
    public int Post<TRequest, TResponse>(IRequest<TResponse> request, short version)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        using FrameBuffer frame = Frames.Request<TRequest, TResponse>((TRequest)request, version, ++_correlation, ClientId);
        byte[] bytes = new byte[frame.TotalLength];
        frame.CopyTo(bytes);
        Transport.Write(bytes);
        return _correlation;
    }

    /// <summary>The next answer, whose correlation id must be the one given.</summary>
    public async Task<TResponse> NextAsync<TRequest, TResponse>(int correlation, short version)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        byte[] frame = await NextFrameAsync();
        Assert.Equal(correlation, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(frame));
        return Frames.ReadResponse<TResponse>(TRequest.Api, frame, version);
    }

    /// <summary>The next answer without its size.</summary>
    public async Task<byte[]> NextFrameAsync() =>
        (await Transport.Sent.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)))[4..];

    public Task<TResponse> SendAsync<TRequest, TResponse>(TRequest request, short? version = null)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        short asked = version ?? TRequest.Api.MaxVersion;
        return NextAsync<TRequest, TResponse>(Post<TRequest, TResponse>(request, asked), asked);
    }

    /// <summary>Completes when the broker has closed the connection.</summary>
    public Task ClosedAsync() => _loop.WaitAsync(TimeSpan.FromSeconds(30));
}
