using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Asked = LogPipeline.Protocol.Messages.DescribeQuorumRequest.Topic;
using Told = LogPipeline.Protocol.Messages.DescribeQuorumResponse;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeQuorum: this node alone writes the metadata log, so it is the one voter and has all of it.</summary>
internal sealed class DescribeQuorumHandler(ClusterMetadata cluster, DataDirectory directory, TimeProvider time)
    : RequestHandler<DescribeQuorumRequest, DescribeQuorumResponse>
{
    protected override ValueTask<DescribeQuorumResponse?> AnswerAsync(
        DescribeQuorumRequest request, RequestContext context, CancellationToken cancellation) => new(
            request.Topics is [{ TopicName: TopicName.Metadata, Partitions: [{ PartitionIndex: 0 }] }]
                ? Describe(context)
                : new Told { Topics = request.Topics.ConvertAll(Unknown) });

    private Told Describe(RequestContext context)
    {
        ClusterImage image = cluster.Image;
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var voter = new Told.Topic.Partition.Replica
        {
            ReplicaId = directory.NodeId,
            LogEndOffset = image.Offset + 1,
            LastFetchTimestamp = now,
            LastCaughtUpTimestamp = now,
        };
        var partition = new Told.Topic.Partition
        {
            LeaderId = directory.NodeId,
            LeaderEpoch = directory.LeaderEpoch,
            HighWatermark = image.Offset + 1,
            CurrentVoters = [voter],
        };
        return new Told
        {
            Topics = [new() { TopicName = TopicName.Metadata, Partitions = [partition] }],
            Nodes = [Address(image, context)],
        };
    }

    private Told.Node Address(ClusterImage image, RequestContext context)
    {
        (string host, int port) = image.Brokers[directory.NodeId].AddressFor(context.Connection);
        return new() { NodeId = directory.NodeId, Listeners = [new() { Name = context.Connection.Listener.Name, Host = host, Port = (ushort)port }] };
    }

    private static Told.Topic Unknown(Asked asked) => new()
    {
        TopicName = asked.TopicName,
        Partitions = asked.Partitions.ConvertAll(static partition => new Told.Topic.Partition
        {
            PartitionIndex = partition.PartitionIndex,
            ErrorCode = ErrorCode.UnknownTopicOrPartition,
            ErrorMessage = "This server does not host this topic-partition.",
        }),
    };
}
