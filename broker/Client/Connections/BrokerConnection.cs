using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Connections;

/// <summary>One connection to a broker, its ApiVersions handshake done. Requests are pipelined; answers come in order.</summary>
public sealed class BrokerConnection : IAsyncDisposable
{
    private BrokerConnection(BrokerEndpoint endpoint) => Endpoint = endpoint;

    /// <summary>Where the broker listens.</summary>
    public BrokerEndpoint Endpoint { get; }

    /// <summary>Whether nothing more can be sent; every waiter has or gets a <see cref="BrokerConnectionException"/>.</summary>
    public bool IsBroken => throw new NotImplementedException();

    /// <summary>Connects and shakes hands.</summary>
    public static ValueTask<BrokerConnection> OpenAsync(BrokerEndpoint endpoint, ClientOptions options, IConnector connector, TimeProvider time, CancellationToken ct) =>
        throw new NotImplementedException();

    /// <summary>The version both sides speak best; throws <see cref="UnsupportedApiException"/>.</summary>
    public short VersionOf(Api api) => throw new NotImplementedException();

    /// <summary>Whether both sides speak the API.</summary>
    public bool Speaks(Api api) => throw new NotImplementedException();

    /// <summary>
    /// Sends and waits for the answer. Memory referenced by the request must stay as it is until the task ends.
    /// <see cref="BrokerConnectionException"/>: outcome unknown. Cancelling stops the waiting only, once bytes are on their way.
    /// </summary>
    public Task<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken ct)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new() => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
