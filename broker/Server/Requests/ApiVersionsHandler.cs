using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Requests;

// ApiVersions has rules of its own: a version unknown to us is answered, in the shape of version 0, with the range that is known,
// so that the client can ask again; and no other request may be needed before it.
/// <summary>Tells which APIs are served, in which versions.</summary>
internal sealed class ApiVersionsHandler(Func<IEnumerable<IRequestHandler>> served) : RequestHandler<ApiVersionsRequest, ApiVersionsResponse>
{
    public override bool IsBeforeAuthentication => true;

    protected override ValueTask<ApiVersionsResponse?> AnswerAsync(
        ApiVersionsRequest request, RequestContext context, CancellationToken cancellation)
    {
        bool named = context.Version < 3 || (IsSoftwareName(request.ClientSoftwareName) && IsSoftwareName(request.ClientSoftwareVersion));
        return new(named
            ? new ApiVersionsResponse { ApiKeys = [.. served().Select(Range)] }
            : new ApiVersionsResponse { ErrorCode = ErrorCode.InvalidRequest });
    }

    public override FrameBuffer? Unsupported(int correlationId)
    {
        var response = new ApiVersionsResponse { ErrorCode = ErrorCode.UnsupportedVersion, ApiKeys = [Range(this)] };
        return Frames.Response(Api, response, version: 0, correlationId);
    }

    private static ApiVersionsResponse.ApiVersion Range(IRequestHandler handler) => new()
    {
        ApiKey = (short)handler.Api.Key,
        MinVersion = handler.AdvertisedFrom,
        MaxVersion = handler.Api.MaxVersion,
    };

    /// <summary>Letters and digits, dashes and dots inside.</summary>
    private static bool IsSoftwareName(string name) =>
        name.Length > 0
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')
        && char.IsAsciiLetterOrDigit(name[0])
        && char.IsAsciiLetterOrDigit(name[^1]);
}
