using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Pipeline;

/// <summary>Who decides about requests besides their handlers.</summary>
/// <param name="Authorizer">Who may do what.</param>
/// <param name="Quota">Who is too fast; null when nobody is.</param>
internal sealed record RequestPolicies(IAuthorizer Authorizer, IQuota? Quota);

// The parts around every handler, in this order:
//   1. header     which API and version; what is not served closes the connection, as Kafka does
//   2. authenticate   a connection that has no principal yet takes only what leads to one
//   3. throttle   the quota is charged; the time to be silent goes into the answer and mutes the connection
//   4. count      request, latency, failures
//   5. authorise  resource by resource, between decoding and the handler (AccessRule in RequestHandler)
// A fault of ours in a handler ends the client's connection, is reported, and leaves the others alone.
/// <summary>Takes a request from its frame to its answer.</summary>
internal sealed class RequestPipeline(BrokerTelemetry telemetry, ILogger logger, TimeProvider time)
{
    private readonly Dictionary<ApiKey, IRequestHandler> _handlers = [];

    /// <summary>Who decides besides the handlers; by default nobody refuses and nobody is too fast. Set before the first request.</summary>
    public RequestPolicies Policies { get; set; } = new(AllowAll.Instance, Quota: null);

    /// <summary>The APIs served, by their numbers.</summary>
    public IEnumerable<IRequestHandler> Served => _handlers.Values.OrderBy(handler => handler.Api.Key);

    /// <summary>Serves an API. Before the first request only, as <see cref="Remove"/>.</summary>
    public void Add(IRequestHandler handler) => _handlers.Add(handler.Api.Key, handler);

    /// <summary>Stops to serve an API, as a broker that never knew it.</summary>
    public void Remove(ApiKey api) => _handlers.Remove(api);

    /// <summary>Answers one request, given as a frame without its size; null when it wants no answer.</summary>
    /// <exception cref="CloseConnectionException">The connection must be closed.</exception>
    /// <exception cref="MalformedMessageException">The same: the frame is not what its header says.</exception>
    public async ValueTask<FrameBuffer?> HandleAsync(ClientConnection connection, ReadOnlyMemory<byte> frame, CancellationToken cancellation)
    {
        RequestHeader header = Frames.ReadRequestHeader(frame, out int headerSize);
        IRequestHandler? handler = _handlers.GetValueOrDefault(header.Key);
        if (handler is null || header.Version < handler.Api.MinVersion || header.Version > handler.Api.MaxVersion)
        {
            return handler?.Unsupported(header.CorrelationId)
                ?? throw new CloseConnectionException($"request of api {(short)header.Key} version {header.Version}, which is not served");
        }
        if (connection.Principal is null && !handler.IsBeforeAuthentication)
        {
            throw new CloseConnectionException($"request of api {handler.Api.Key} before the client has authenticated");
        }
        telemetry.Request(header.Key);
        long started = telemetry.MeasuresLatency ? time.GetTimestamp() : 0;
        var context = new RequestContext(connection, Policies.Authorizer, header.Version, header.CorrelationId, header.ClientId ?? "");
        if (Policies.Quota is { } quota)
        {
            var usage = new Usage(context.Principal, context.ClientId, header.Key, frame.Length - headerSize, connection.TakeAnswered());
            context.ThrottleTime = quota.Charge(usage);
            connection.Mute(context.ThrottleTime);
        }
        FrameBuffer? response = await AnswerAsync(handler, context, frame[headerSize..], cancellation);
        if (Policies.Quota is not null && response is not null)
        {
            connection.AddAnswered(response.TotalLength);
        }
        if (started != 0)
        {
            telemetry.Latency(header.Key, time.GetElapsedTime(started));
        }
        return response;
    }

    private async ValueTask<FrameBuffer?> AnswerAsync(
        IRequestHandler handler, RequestContext context, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        try
        {
            return await handler.HandleAsync(context, body, cancellation);
        }
        catch (Exception e) when (e is not (CloseConnectionException or MalformedMessageException or OperationCanceledException))
        {
            telemetry.RequestFailed(handler.Api.Key);
            logger.RequestFailed(e, context.Connection.RemoteEndPoint, handler.Api.Key);
            throw;
        }
    }
}
