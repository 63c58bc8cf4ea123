using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeCluster: the registered brokers.</summary>
internal sealed class DescribeClusterHandler(ClusterMetadata cluster) : RequestHandler<DescribeClusterRequest, DescribeClusterResponse>
{
    private const sbyte Brokers = 1;
    private const sbyte Controllers = 2;

    protected override ValueTask<DescribeClusterResponse?> AnswerAsync(
        DescribeClusterRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.EndpointType != Brokers)
        {
            return new(new DescribeClusterResponse
            {
                ErrorCode = request.EndpointType == Controllers ? ErrorCode.MismatchedEndpointType : ErrorCode.UnsupportedEndpointType,
                ErrorMessage = $"This is a broker's address: it cannot tell of endpoints of type {request.EndpointType}.",
            });
        }
        ClusterImage image = cluster.Image;
        return new(new DescribeClusterResponse
        {
            ClusterId = image.ClusterId,
            ControllerId = image.ControllerId,
            ClusterAuthorizedOperations = request.IncludeClusterAuthorizedOperations
                ? AuthorizedOperations.OfCluster(context)
                : AuthorizedOperations.NotAsked,
            Brokers = [.. image.Brokers.Values.Select(broker => Describe(broker, context.Connection))],
        });
    }

    private static DescribeClusterResponse.Broker Describe(BrokerImage broker, ClientConnection connection)
    {
        (string host, int port) = broker.AddressFor(connection);
        return new DescribeClusterResponse.Broker { BrokerId = broker.Id, Host = host, Port = port };
    }
}
