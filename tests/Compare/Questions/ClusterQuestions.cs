using LogPipeline.Protocol.Messages;

namespace LogPipeline.Compare.Questions;

/// <summary>About the cluster: versions, brokers, quorum, features.</summary>
internal static class ClusterQuestions
{
    public static IReadOnlyList<Question> List { get; } =
    [
        new Question<ApiVersionsRequest, ApiVersionsResponse>("no software name", static (_, _) => new(), from: 3),
        new Question<ApiVersionsRequest, ApiVersionsResponse>("a software name with a space", static (_, _) => new() { ClientSoftwareName = "no name", ClientSoftwareVersion = "1" }, from: 3),
        new Question<DescribeClusterRequest, DescribeClusterResponse>("brokers", static (_, _) => new()),
        new Question<DescribeClusterRequest, DescribeClusterResponse>("authorised operations", static (_, _) => new() { IncludeClusterAuthorizedOperations = true }),
        new Question<DescribeClusterRequest, DescribeClusterResponse>("controllers", static (_, _) => new() { EndpointType = 2 }, from: 1),
        new Question<DescribeClusterRequest, DescribeClusterResponse>("an unknown kind of endpoint", static (_, _) => new() { EndpointType = 9 }, from: 1),
        new Question<DescribeQuorumRequest, DescribeQuorumResponse>("another topic", static (_, _) => new() { Topics = [new() { TopicName = "t", Partitions = [new()] }] }),
        new Question<DescribeQuorumRequest, DescribeQuorumResponse>("no topic", static (_, _) => new()),
        new Question<DescribeQuorumRequest, DescribeQuorumResponse>("two partitions", static (_, _) => new() { Topics = [new() { TopicName = "__cluster_metadata", Partitions = [new(), new() { PartitionIndex = 1 }] }] }),
        new Question<ElectLeadersRequest, ElectLeadersResponse>("one that leads", static (_, _) => Elect("t", 0)),
        new Question<ElectLeadersRequest, ElectLeadersResponse>("an unclean election of one that leads", static (_, _) => Elect("t", 1), from: 1),
        new Question<ElectLeadersRequest, ElectLeadersResponse>("an unknown topic", static (_, _) => Elect("nowhere", 0)),
        new Question<ElectLeadersRequest, ElectLeadersResponse>("an unknown partition", static (_, _) => new() { TopicPartitions = [new() { Topic = "t", Partitions = [9] }] }),
        new Question<ElectLeadersRequest, ElectLeadersResponse>("an unknown type", static (_, _) => Elect("t", 9), from: 1),
        new Question<ElectLeadersRequest, ElectLeadersResponse>("all", static (_, _) => new() { TopicPartitions = null }),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("to where it is", static (_, _) => Move("t", 0, [1])),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("to an unknown broker", static (_, _) => Move("t", 0, [2])),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("to nowhere", static (_, _) => Move("t", 0, [])),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("to one broker twice", static (_, _) => Move("t", 0, [1, 1])),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("to a broker below zero", static (_, _) => Move("t", 0, [-1])),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("cancel where none is", static (_, _) => Move("t", 0, null)),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("an unknown partition", static (_, _) => Move("t", 9, [1])),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("an unknown topic", static (_, _) => Move("nowhere", 0, [1])),
        new Question<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>("more copies, not allowed", static (_, _) =>
            new() { AllowReplicationFactorChange = false, Topics = [new() { Name = "t", Partitions = [new() { Replicas = [1, 2] }] }] }, from: 1),
        new Question<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>("all", static (_, _) => new() { Topics = null }),
        new Question<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>("some", static (_, _) => new() { Topics = [new() { Name = "t", PartitionIndexes = [0, 9] }, new() { Name = "nowhere", PartitionIndexes = [0] }] }),
        new Question<UpdateFeaturesRequest, UpdateFeaturesResponse>("nothing", static (_, _) => new()),
        new Question<UpdateFeaturesRequest, UpdateFeaturesResponse>("an unknown feature", static (_, _) => new() { FeatureUpdates = [new() { Feature = "no.such.feature", MaxVersionLevel = 1 }] }),
        new Question<UpdateFeaturesRequest, UpdateFeaturesResponse>("an unknown level", static (_, _) => new() { FeatureUpdates = [new() { Feature = "metadata.version", MaxVersionLevel = 1000 }] }),
        new Question<UpdateFeaturesRequest, UpdateFeaturesResponse>("a level below zero", static (_, _) => new() { FeatureUpdates = [new() { Feature = "metadata.version", MaxVersionLevel = -1 }] }),
        new Question<UpdateFeaturesRequest, UpdateFeaturesResponse>("an unknown kind of update", static (_, _) => new() { FeatureUpdates = [new() { Feature = "metadata.version", MaxVersionLevel = 1000, UpgradeType = 9 }] }, from: 1),
        new Question<ListConfigResourcesRequest, ListConfigResourcesResponse>("topics", static (_, _) => new() { ResourceTypes = [4] }),
        new Question<ListConfigResourcesRequest, ListConfigResourcesResponse>("an unknown kind", static (_, _) => new() { ResourceTypes = [77] }, from: 1),
        new Question<ListConfigResourcesRequest, ListConfigResourcesResponse>("groups", static (_, _) => new() { ResourceTypes = [32] }, from: 1),
        new Question<DescribeLogDirsRequest, DescribeLogDirsResponse>("one topic", static (_, _) => new() { Topics = [new() { Name = "t", Partitions = [0] }] }),
        new Question<DescribeLogDirsRequest, DescribeLogDirsResponse>("unknown ones", static (_, _) => new() { Topics = [new() { Name = "nowhere", Partitions = [0] }, new() { Name = "t", Partitions = [9] }] }),
        new Question<DescribeLogDirsRequest, DescribeLogDirsResponse>("nothing", static (_, _) => new() { Topics = [] }),
    ];

    private static ElectLeadersRequest Elect(string topic, sbyte type) => new() { ElectionType = type, TopicPartitions = [new() { Topic = topic, Partitions = [0] }] };

    private static AlterPartitionReassignmentsRequest Move(string topic, int partition, List<int>? to) =>
        new() { Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, Replicas = to }] }] };
}
