using System.Globalization;
using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.ListConfigResourcesResponse.ConfigResource;

namespace LogPipeline.Broker.Requests;

/// <summary>ListConfigResources: topics and brokers have settings; groups, loggers and clients' metrics have none here.</summary>
internal sealed class ListConfigResourcesHandler(ClusterMetadata cluster) : RequestHandler<ListConfigResourcesRequest, ListConfigResourcesResponse>
{
    private const sbyte ClientMetrics = 16;
    private const sbyte Groups = 32;

    private static readonly List<sbyte> Known = [Cluster.ConfigResource.TopicType, Cluster.ConfigResource.BrokerType, Cluster.ConfigResource.BrokerLoggersType, ClientMetrics, Groups];

    protected override ValueTask<ListConfigResourcesResponse?> AnswerAsync(
        ListConfigResourcesRequest request, RequestContext context, CancellationToken cancellation)
    {
        List<sbyte> wanted = context.Version == 0 ? [ClientMetrics] : request.ResourceTypes.Count == 0 ? Known : request.ResourceTypes;
        if (wanted.Exists(static type => !Known.Contains(type)))
        {
            return new(new ListConfigResourcesResponse { ErrorCode = ErrorCode.UnsupportedVersion });
        }
        ClusterImage image = cluster.Image;
        return new(new ListConfigResourcesResponse { ConfigResources = [.. wanted.Distinct().SelectMany(type => Of(type, image))] });
    }

    private static IEnumerable<Answer> Of(sbyte type, ClusterImage image) => type switch
    {
        Cluster.ConfigResource.TopicType => image.Topics.Keys.Select(name => new Answer { ResourceType = type, ResourceName = name }),
        Cluster.ConfigResource.BrokerType or Cluster.ConfigResource.BrokerLoggersType =>
            image.Brokers.Keys.Select(node => new Answer { ResourceType = type, ResourceName = node.ToString(CultureInfo.InvariantCulture) }),
        _ => [],
    };
}
