using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Pipeline;

/// <summary>Serves one API.</summary>
internal interface IRequestHandler
{
    /// <summary>Which API, and its versions: all of them are served.</summary>
    Api Api { get; }

    /// <summary>Whether a client may ask before it has authenticated.</summary>
    bool IsBeforeAuthentication { get; }

    /// <summary>Decodes, acts and encodes the answer; null when the request wants none.</summary>
    ValueTask<FrameBuffer?> HandleAsync(RequestContext context, ReadOnlyMemory<byte> body, CancellationToken cancellation);

    /// <summary>The answer to a version that is not served; null when the connection must be closed instead.</summary>
    FrameBuffer? Unsupported(int correlationId);
}
