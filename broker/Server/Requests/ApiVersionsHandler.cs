using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Requests;

// ApiVersions has rules of its own: a version unknown to us is answered, in the shape of version 0, with the range that is known,
// so that the client can ask again; and no other request may be needed before it.
/// <summary>Tells which APIs are served, in which versions, and which features the cluster uses, at which level.</summary>
internal sealed class ApiVersionsHandler(Func<IEnumerable<IRequestHandler>> served, ClusterMetadata cluster)
    : RequestHandler<ApiVersionsRequest, ApiVersionsResponse>
{
    public override bool IsBeforeAuthentication => true;

    protected override ValueTask<ApiVersionsResponse?> AnswerAsync(
        ApiVersionsRequest request, RequestContext context, CancellationToken cancellation)
    {
        bool named = context.Version < 3 || (IsSoftwareName(request.ClientSoftwareName) && IsSoftwareName(request.ClientSoftwareVersion));
        if (!named)
        {
            return new(new ApiVersionsResponse { ErrorCode = ErrorCode.InvalidRequest });
        }
        ClusterImage image = cluster.Image;
        return new(new ApiVersionsResponse
        {
            ApiKeys = [.. served().Select(Range)],
            SupportedFeatures = [Supported()],
            FinalizedFeatures = [.. image.Features.Select(Finalized)],
            FinalizedFeaturesEpoch = image.Offset,
        });
    }

    public override FrameBuffer? Unsupported(int correlationId)
    {
        var response = new ApiVersionsResponse { ErrorCode = ErrorCode.UnsupportedVersion, ApiKeys = [Range(this)] };
        return Frames.Response(Api, response, version: 0, correlationId);
    }

    private static ApiVersionsResponse.ApiVersion Range(IRequestHandler handler) => new()
    {
        ApiKey = (short)handler.Api.Key,
        MinVersion = handler.Api.MinVersion,
        MaxVersion = handler.Api.MaxVersion,
    };

    // The records of one level are written and read here, no others.
    private static ApiVersionsResponse.SupportedFeature Supported() => new()
    {
        Name = FeatureLevelRecord.MetadataVersion,
        MinVersion = FeatureLevelRecord.MetadataVersionLevel,
        MaxVersion = FeatureLevelRecord.MetadataVersionLevel,
    };

    private static ApiVersionsResponse.FinalizedFeature Finalized(KeyValuePair<string, short> feature) => new()
    {
        Name = feature.Key,
        MinVersionLevel = feature.Value,
        MaxVersionLevel = feature.Value,
    };

    /// <summary>Letters and digits, dashes and dots inside.</summary>
    private static bool IsSoftwareName(string name) =>
        name.Length > 0
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')
        && char.IsAsciiLetterOrDigit(name[0])
        && char.IsAsciiLetterOrDigit(name[^1]);
}
