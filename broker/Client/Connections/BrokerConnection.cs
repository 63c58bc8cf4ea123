using System.Net.Sockets;
using LogPipeline.Client.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Connections;

/// <summary>One connection to a broker, its ApiVersions handshake done. Requests are pipelined; answers come in order.</summary>
public sealed class BrokerConnection : IAsyncDisposable
{
    /// <summary>The version first asked of a broker whose versions are unknown; every broker answers it, if only with error 35.</summary>
    private const short FirstApiVersions = 3;

    private readonly ClientOptions _options;
    private readonly TimeProvider _time;
    private readonly RequestPipeline _pipeline;
    private readonly Dictionary<short, (short Min, short Max)> _versions = [];
    private int _correlationId;

    private BrokerConnection(BrokerEndpoint endpoint, ClientOptions options, TimeProvider time, Stream stream)
    {
        (Endpoint, _options, _time) = (endpoint, options, time);
        _pipeline = new RequestPipeline(stream, endpoint, options.ResponseBytesMax, time);
        _pipeline.Start();
    }

    /// <summary>Where the broker listens.</summary>
    public BrokerEndpoint Endpoint { get; }

    /// <summary>Whether nothing more can be sent; every waiter has or gets a <see cref="BrokerConnectionException"/>.</summary>
    public bool IsBroken => _pipeline.IsBroken;

    /// <summary>Ends when nothing more can be sent.</summary>
    public Task WhenBroken => _pipeline.WhenBroken;

    /// <summary>Connects and shakes hands; <see cref="BrokerUnreachableException"/> says why it could not.</summary>
    public static async ValueTask<BrokerConnection> OpenAsync(
        BrokerEndpoint endpoint, ClientOptions options, IConnector connector, TimeProvider time, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        BrokerConnection? connection = null;
        try
        {
            Stream stream = await connector.ConnectAsync(endpoint.Host, endpoint.Port, either.Token);
            connection = new BrokerConnection(endpoint, options, time, stream);
            await connection.ShakeHandsAsync(either.Token);
            ClientMetrics.ConnectionsOpened.Add(1);
            options.Tried?.Invoke(endpoint, null);
            return connection;
        }
        catch (Exception e)
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
            if (e is OperationCanceledException && late.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                throw Unreachable(endpoint, options, $"no connection within {options.ConnectTimeout.TotalSeconds:0.###} s", e);
            }
            if (e is IOException or SocketException or BrokerErrorException or MalformedMessageException)
            {
                throw Unreachable(endpoint, options, e.Message, e);
            }
            throw;
        }
    }

    /// <summary>The version both sides speak best, at most <paramref name="cap"/>; throws <see cref="UnsupportedApiException"/>.</summary>
    public short VersionOf(Api api, short cap = short.MaxValue)
    {
        if (!_versions.TryGetValue((short)api.Key, out (short Min, short Max) theirs))
        {
            throw new UnsupportedApiException(api.Key, $"the broker at {Endpoint} does not offer {api.Key}");
        }
        short best = Math.Min(Math.Min(api.MaxVersion, theirs.Max), cap);
        return best >= Math.Max(api.MinVersion, theirs.Min)
            ? best
            : throw new UnsupportedApiException(
                api.Key, $"the broker at {Endpoint} offers {api.Key} {theirs.Min} to {theirs.Max}, we speak {api.MinVersion} to {Math.Min(api.MaxVersion, cap)}");
    }

    /// <summary>Whether both sides speak a version of the API.</summary>
    public bool Speaks(Api api) =>
        _versions.TryGetValue((short)api.Key, out (short Min, short Max) theirs) && theirs.Max >= api.MinVersion && theirs.Min <= api.MaxVersion;

    /// <summary>
    /// Sends and waits for the answer. Memory referenced by the request must stay as it is until the task ends.
    /// <see cref="BrokerConnectionException"/>: outcome unknown. Cancelling stops the waiting only, once bytes are on their way.
    /// </summary>
    public Task<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken ct)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new() => SendAsync<TRequest, TResponse>(request, short.MaxValue, _options.RequestTimeout, ct);

    /// <summary>The same with a version not above <paramref name="cap"/> and a time limit of its own.</summary>
    public Task<TResponse> SendAsync<TRequest, TResponse>(TRequest request, short cap, TimeSpan timeout, CancellationToken ct)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new() =>
        SendVersionAsync<TRequest, TResponse>(request, VersionOf(TRequest.Api, cap), timeout, ct);

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    /// <summary>Sends; the answer's byte fields are slices of a pooled frame that the caller releases.</summary>
    internal async Task<Leased<TResponse>> SendLeasedAsync<TRequest, TResponse>(TRequest request, short version, TimeSpan timeout, CancellationToken ct)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        int correlationId = Interlocked.Increment(ref _correlationId);
        var pending = new LeasedRequest<TResponse>(
            TRequest.Api, version, correlationId, Frames.Request<TRequest, TResponse>(request, version, correlationId, _options.ClientId))
        {
            Deadline = After(timeout),
            Timeout = timeout,
        };
        using CancellationTokenRegistration registration = Enter(pending, ct);
        return await pending.Answer;
    }

    private async Task<TResponse> SendVersionAsync<TRequest, TResponse>(TRequest request, short version, TimeSpan timeout, CancellationToken ct)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        int correlationId = Interlocked.Increment(ref _correlationId);
        var pending = new PendingRequest<TResponse>(
            TRequest.Api, version, correlationId, Frames.Request<TRequest, TResponse>(request, version, correlationId, _options.ClientId))
        {
            Deadline = After(timeout),
            Timeout = timeout,
            ExpectsAnswer = request is not ProduceRequest { Acks: 0 },
        };
        using CancellationTokenRegistration registration = Enter(pending, ct);
        return await pending.Answer;
    }

    private CancellationTokenRegistration Enter(PendingRequest pending, CancellationToken ct)
    {
        ClientMetrics.Requests.Add(1, new KeyValuePair<string, object?>("api", pending.Api.Key));
        _pipeline.Send(pending);
        return ct.UnsafeRegister(
            static (state, token) =>
            {
                (RequestPipeline? pipeline, PendingRequest? request) = ((RequestPipeline, PendingRequest))state!;
                pipeline.Cancel(request, token);
            },
            (_pipeline, pending));
    }

    private long After(TimeSpan timeout) => _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);

    private async ValueTask ShakeHandsAsync(CancellationToken ct)
    {
        ApiVersionsResponse answer = await AskVersionsAsync(FirstApiVersions, ct);
        if (answer.ErrorCode is ErrorCode.UnsupportedVersion or ErrorCode.InvalidRequest)
        {
            short theirs = answer.ApiKeys.Find(v => v.ApiKey == (short)ApiKey.ApiVersions)?.MaxVersion ?? 0;
            answer = await AskVersionsAsync(answer.ErrorCode == ErrorCode.InvalidRequest ? (short)0 : Math.Clamp(theirs, (short)0, (short)(FirstApiVersions - 1)), ct);
        }
        if (answer.ErrorCode != ErrorCode.None)
        {
            throw new BrokerErrorException(answer.ErrorCode, $"ApiVersions was answered with {answer.ErrorCode}");
        }
        foreach (ApiVersionsResponse.ApiVersion version in answer.ApiKeys)
        {
            _versions[version.ApiKey] = (version.MinVersion, version.MaxVersion);
        }
    }

    private Task<ApiVersionsResponse> AskVersionsAsync(short version, CancellationToken ct)
    {
        Version? ours = typeof(BrokerConnection).Assembly.GetName().Version;
        var request = new ApiVersionsRequest { ClientSoftwareName = "logpipe", ClientSoftwareVersion = ours?.ToString(3) ?? "0" };
        return SendVersionAsync<ApiVersionsRequest, ApiVersionsResponse>(request, version, _options.ConnectTimeout, ct);
    }

    private static BrokerUnreachableException Unreachable(BrokerEndpoint endpoint, ClientOptions options, string reason, Exception cause)
    {
        string named = reason.StartsWith($"{endpoint}: ", StringComparison.Ordinal) ? reason : $"{endpoint}: {reason}";
        var unreachable = new BrokerUnreachableException(named, cause);
        options.Tried?.Invoke(endpoint, unreachable);
        return unreachable;
    }
}
