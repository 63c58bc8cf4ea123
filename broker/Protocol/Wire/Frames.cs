namespace LogPipeline.Protocol.Wire;

/// <summary>
/// Whole frames: <c>size i32 | header | body</c>. Size counts what follows it. Request header: api_key i16, api_version i16,
/// correlation_id i32, client_id i16-length string even in flexible versions, then a tag section there. Response header:
/// correlation_id i32, then a tag section in flexible versions but for ApiVersions.
/// </summary>
public static class Frames
{
    /// <summary>A request, ready to send.</summary>
    public static FrameBuffer Request<TRequest, TResponse>(TRequest body, short version, int correlationId, string? clientId)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        Api api = TRequest.Api;
        var frame = new FrameBuffer();
        frame.Append(4);
        var header = new RequestHeader { Key = api.Key, Version = version, CorrelationId = correlationId, ClientId = clientId };
        var headerWire = new WireWriter(frame, 1, flexible: false);
        header.Transfer(ref headerWire);
        bool flexible = api.IsFlexible(version);
        if (flexible)
        {
            frame.Append(1)[0] = 0;
        }
        var wire = new WireWriter(frame, version, flexible);
        body.Transfer(ref wire);
        frame.SealSize();
        return frame;
    }

    /// <summary>A response, ready to send.</summary>
    public static FrameBuffer Response<TResponse>(Api api, TResponse body, short version, int correlationId)
        where TResponse : class, IWireStruct
    {
        var frame = new FrameBuffer();
        frame.Append(4);
        var header = new WireWriter(frame, 0, flexible: false);
        header.Int32(ref correlationId);
        if (api.ResponseHeaderVersion(version) == 1)
        {
            frame.Append(1)[0] = 0;
        }
        var wire = new WireWriter(frame, version, api.IsFlexible(version));
        body.Transfer(ref wire);
        frame.SealSize();
        return frame;
    }

    /// <summary>Reads the request header up to the client id from a frame without its size.</summary>
    public static RequestHeader ReadRequestHeader(ReadOnlyMemory<byte> frame, out int size)
    {
        var reader = new WireReader(frame, 1, flexible: false);
        var header = new RequestHeader();
        header.Transfer(ref reader);
        size = reader.Position;
        return header;
    }

    /// <summary>
    /// The most array elements that a request may have in all, nested ones included: many times what a client of a cluster of
    /// 10,000 partitions sends, and some 100 MB of objects at worst.
    /// </summary>
    public const int RequestElementsMax = 200_000;

    /// <summary>Reads a request body; <paramref name="afterHeader"/> begins after the client id.</summary>
    /// <exception cref="MalformedMessageException">The bytes are no such request, or it has more than <see cref="RequestElementsMax"/> elements.</exception>
    public static TRequest ReadRequest<TRequest, TResponse>(ReadOnlyMemory<byte> afterHeader, short version)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IWireStruct, new()
    {
        Api api = TRequest.Api;
        var reader = new WireReader(afterHeader, version, api.IsFlexible(version), RequestElementsMax);
        if (api.IsFlexible(version))
        {
            reader.End();
        }
        var body = new TRequest();
        body.Transfer(ref reader);
        return body;
    }

    /// <summary>Reads a response from a frame without its size; the correlation id was matched by the caller.</summary>
    public static TResponse ReadResponse<TResponse>(Api api, ReadOnlyMemory<byte> frame, short version)
        where TResponse : class, IWireStruct, new()
    {
        if (api.ResponseHeaderVersion(version) == 1)
        {
            var header = new WireReader(frame[4..], version, flexible: true);
            header.End();
            frame = frame[header.Position..];
        }
        var reader = new WireReader(frame[4..], version, api.IsFlexible(version));
        var body = new TResponse();
        body.Transfer(ref reader);
        return body;
    }
}

/// <summary>Request header, version 1 part.</summary>
public sealed class RequestHeader : IWireStruct
{
    public ApiKey Key;
    public short Version;
    public int CorrelationId;
    public string? ClientId;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        short key = (short)Key;
        wire.Int16(ref key);
        Key = (ApiKey)key;
        wire.Int16(ref Version);
        wire.Int32(ref CorrelationId);
        wire.NullableString(ref ClientId);
    }
}
