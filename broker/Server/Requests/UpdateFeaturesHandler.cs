using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Asked = LogPipeline.Protocol.Messages.UpdateFeaturesRequest.FeatureUpdate;

namespace LogPipeline.Broker.Requests;

/// <summary>UpdateFeatures: each feature is known at one level, so a request can only ask for the level that is in use, or is refused.</summary>
internal sealed class UpdateFeaturesHandler(ClusterMetadata cluster, int nodeId) : RequestHandler<UpdateFeaturesRequest, UpdateFeaturesResponse>
{
    protected override ValueTask<UpdateFeaturesResponse?> AnswerAsync(
        UpdateFeaturesRequest request, RequestContext context, CancellationToken cancellation)
    {
        string? problem = request.FeatureUpdates.Select(Problem).FirstOrDefault(static problem => problem is not null);
        return new(problem is not null
            ? new UpdateFeaturesResponse { ErrorCode = ErrorCode.InvalidUpdateVersion, ErrorMessage = problem }
            : new UpdateFeaturesResponse { Results = request.FeatureUpdates.ConvertAll(static asked => new UpdateFeaturesResponse.Result { Feature = asked.Feature }) });
    }

    private string? Problem(Asked asked)
    {
        string what = $"Invalid update version {asked.MaxVersionLevel} for feature {asked.Feature}.";
        return asked.Feature != FeatureLevelRecord.MetadataVersion ? $"{what} Local controller {nodeId} does not support this feature."
            : asked.MaxVersionLevel != cluster.Image.Features.GetValueOrDefault(asked.Feature)
                ? $"{what} Local controller {nodeId} only supports versions {FeatureLevelRecord.MetadataVersionLevel}-{FeatureLevelRecord.MetadataVersionLevel}"
            : null;
    }
}
