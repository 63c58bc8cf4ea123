using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeCluster: a cluster of one.</summary>
internal sealed class DescribeClusterHandler(DataDirectory directory)
    : RequestHandler<DescribeClusterRequest, DescribeClusterResponse>
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
                EndpointType = request.EndpointType,
            });
        }
        (string host, int port) = context.Connection.Advertised;
        return new(new DescribeClusterResponse
        {
            ClusterId = directory.ClusterId,
            ControllerId = directory.NodeId,
            Brokers = [new() { BrokerId = directory.NodeId, Host = host, Port = port }],
        });
    }
}
