using LogPipeline.Protocol.Messages;

namespace LogPipeline.Compare.Questions;

/// <summary>About consumer groups, their offsets and their members.</summary>
internal static class GroupQuestions
{
    private static readonly Guid Nobody = new("00000000-0000-0007-0000-000000000009");

    public static IReadOnlyList<Question> List { get; } =
    [
        new Question<FindCoordinatorRequest, FindCoordinatorResponse>("of a group", static (_, _) => new() { Key = "g", CoordinatorKeys = ["g", "other"] }),
        new Question<FindCoordinatorRequest, FindCoordinatorResponse>("of an unknown kind", static (_, _) => new() { Key = "g", CoordinatorKeys = ["g"], KeyType = 9 }, from: 1),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("plain", static (_, version) => Commit("plain", version), to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("by id", static (scene, _) => CommitById(scene.Ids["t"]), from: 10),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("by an unknown id", static (_, _) => CommitById(Nobody), from: 10),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("an unknown topic", static (_, version) => Commit("plain", version, topic: "nowhere"), to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("an unknown partition", static (_, version) => Commit("plain", version, partition: 9), to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("metadata of 4096 wide characters", static (_, version) => Commit("plain", version, metadata: new string('ä', 4096)), to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("metadata too long", static (_, version) => Commit("plain", version, metadata: new string('a', 4097)), to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("null metadata", static (_, version) => Commit("plain", version, metadata: null), to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("an empty group id", static (_, version) => Commit("", version), to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("a generation of an unknown group", static (_, version) => Commit("nobody", version, generation: 3, member: "m"), from: 1, to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("a member of an empty group", static (_, version) => Commit("g", version, generation: 3, member: "m"), from: 1, to: 9),
        new Question<OffsetCommitRequest, OffsetCommitResponse>("an offset below zero", static (_, version) => Commit("minus", version, offset: -5), to: 9),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("some", static (_, _) => Fetch("g", ("t", [0, 1, 9]), ("nowhere", [0])), to: 9),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("all", static (_, _) => FetchAll("g"), from: 2, to: 9),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("of an unknown group", static (_, _) => Fetch("nobody", ("t", [0])), to: 9),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("all of an unknown group", static (_, _) => FetchAll("nobody"), from: 2, to: 9),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("an empty group id", static (_, _) => FetchAll(""), from: 2, to: 9),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("as a member", static (_, _) => new() { Groups = [new() { GroupId = "g", MemberId = "m", MemberEpoch = 3, Topics = null }] }, from: 9, to: 9),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("by ids", static (scene, _) => new()
        {
            Groups = [new() { GroupId = "g", Topics = [new() { TopicId = scene.Ids["t"], PartitionIndexes = [0] }, new() { TopicId = Nobody, PartitionIndexes = [0] }] }],
        }, from: 10),
        new Question<OffsetFetchRequest, OffsetFetchResponse>("all by ids", static (_, _) => FetchAll("g"), from: 10),
        new Question<DescribeGroupsRequest, DescribeGroupsResponse>("an empty and an unknown one", static (_, _) => new() { Groups = ["g", "nobody"] }),
        new Question<DescribeGroupsRequest, DescribeGroupsResponse>("an empty id", static (_, _) => new() { Groups = [""] }),
        new Question<DescribeGroupsRequest, DescribeGroupsResponse>("authorised operations", static (_, _) => new() { Groups = ["g", "nobody"], IncludeAuthorizedOperations = true }, from: 3),
        new Question<ListGroupsRequest, ListGroupsResponse>("empty ones", static (_, _) => new() { StatesFilter = ["Empty"] }),
        new Question<ListGroupsRequest, ListGroupsResponse>("in an unknown state", static (_, _) => new() { StatesFilter = ["Asleep"] }, from: 4),
        new Question<ListGroupsRequest, ListGroupsResponse>("classic ones", static (_, _) => new() { TypesFilter = ["classic"] }, from: 5),
        new Question<ListGroupsRequest, ListGroupsResponse>("of an unknown type", static (_, _) => new() { TypesFilter = ["strange"] }, from: 5),
        new Question<JoinGroupRequest, JoinGroupResponse>("an empty group id", static (_, _) => Join("")),
        new Question<JoinGroupRequest, JoinGroupResponse>("a short session", static (_, _) => Join("j", session: 1)),
        new Question<JoinGroupRequest, JoinGroupResponse>("an unknown member", static (_, _) => Join("j", member: "m")),
        new Question<JoinGroupRequest, JoinGroupResponse>("no protocols", static (_, version) => new() { GroupId = $"none-{version}", SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 10_000, ProtocolType = "consumer" }),
        new Question<JoinGroupRequest, JoinGroupResponse>("no protocol type", static (_, version) => new() { GroupId = $"none-{version}", SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 10_000, Protocols = [new() { Name = "range" }] }),
        new Question<JoinGroupRequest, JoinGroupResponse>("a new member", static (_, version) => Join($"joined-{version}")),
        new Question<JoinGroupRequest, JoinGroupResponse>("a static member", static (_, version) => Join($"static-{version}", instance: "i"), from: 5),
        new Question<SyncGroupRequest, SyncGroupResponse>("an unknown group", static (_, _) => new() { GroupId = "nobody", GenerationId = 1, MemberId = "m" }, to: 4),
        new Question<SyncGroupRequest, SyncGroupResponse>("an unknown group, with a protocol", static (_, _) => new() { GroupId = "nobody", GenerationId = 1, MemberId = "m", ProtocolType = "consumer", ProtocolName = "range" }, from: 5),
        new Question<SyncGroupRequest, SyncGroupResponse>("without a protocol", static (_, _) => new() { GroupId = "nobody", GenerationId = 1, MemberId = "m" }, from: 5),
        new Question<SyncGroupRequest, SyncGroupResponse>("an empty group id", static (_, _) => new() { GenerationId = 1, MemberId = "m", ProtocolType = "consumer", ProtocolName = "range" }),
        new Question<HeartbeatRequest, HeartbeatResponse>("an unknown group", static (_, _) => new() { GroupId = "nobody", GenerationId = 1, MemberId = "m" }),
        new Question<HeartbeatRequest, HeartbeatResponse>("an empty group id", static (_, _) => new() { GenerationId = 1, MemberId = "m" }),
        new Question<HeartbeatRequest, HeartbeatResponse>("an unknown member", static (_, _) => new() { GroupId = "g", GenerationId = 1, MemberId = "m" }),
        new Question<LeaveGroupRequest, LeaveGroupResponse>("an unknown group", static (_, _) => Leave("nobody", "m")),
        new Question<LeaveGroupRequest, LeaveGroupResponse>("an empty group id", static (_, _) => Leave("", "m")),
        new Question<LeaveGroupRequest, LeaveGroupResponse>("an unknown member", static (_, _) => Leave("g", "m")),
        new Question<LeaveGroupRequest, LeaveGroupResponse>("an unknown static member", static (_, _) => new() { GroupId = "g", Members = [new() { MemberId = "", GroupInstanceId = "i" }] }, from: 3),
        new Question<DeleteGroupsRequest, DeleteGroupsResponse>("an unknown group", static (_, _) => new() { GroupNames = ["nobody"] }),
        new Question<DeleteGroupsRequest, DeleteGroupsResponse>("an empty id", static (_, _) => new() { GroupNames = [""] }),
        new Question<DeleteGroupsRequest, DeleteGroupsResponse>("a group twice", static (_, _) => new() { GroupNames = ["nobody", "nobody"] }),
        new Question<DeleteGroupsRequest, DeleteGroupsResponse>("one with members", static (_, version) => new() { GroupNames = [$"static-{version + 5}"] }),
        new Question<OffsetDeleteRequest, OffsetDeleteResponse>("an unknown group", static (_, _) => new() { GroupId = "nobody", Topics = [new() { Name = "t", Partitions = [new()] }] }),
        new Question<OffsetDeleteRequest, OffsetDeleteResponse>("an empty group id", static (_, _) => new() { GroupId = "", Topics = [new() { Name = "t", Partitions = [new()] }] }),
        new Question<OffsetDeleteRequest, OffsetDeleteResponse>("some", static (_, _) => new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new(), new() { PartitionIndex = 9 }] }, new() { Name = "nowhere", Partitions = [new()] }] }),
        new Question<OffsetDeleteRequest, OffsetDeleteResponse>("the last one", static (_, _) => LastOf("plain-2")),
        new Question<OffsetDeleteRequest, OffsetDeleteResponse>("one that is deleted already", static (_, _) => LastOf("plain-2")),
        new Question<DescribeGroupsRequest, DescribeGroupsResponse>("one without offsets", static (_, _) => new() { Groups = ["plain-2"] }),
        new Question<DeleteGroupsRequest, DeleteGroupsResponse>("one without offsets", static (_, version) => new() { GroupNames = [$"plain-{version}"] }, from: 2),
    ];

    // Each version commits for a group of its own, so that all begin with the same.
    private static OffsetCommitRequest Commit(
        string group, short version, string topic = "t", int partition = 0, string? metadata = "m", int generation = -1, string member = "", long offset = 3) => new()
        {
            GroupId = group is "plain" or "minus" ? $"{group}-{version}" : group,
            GenerationIdOrMemberEpoch = generation,
            MemberId = member,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedMetadata = metadata }] }],
        };

    private static OffsetCommitRequest CommitById(Guid topic) =>
        new() { GroupId = "by-id", Topics = [new() { TopicId = topic, Partitions = [new() { CommittedOffset = 1 }] }] };

    private static OffsetFetchRequest Fetch(string group, params (string Topic, List<int> Partitions)[] asked) => new()
    {
        GroupId = group,
        Topics = [.. asked.Select(static topic => new OffsetFetchRequest.Topic { Name = topic.Topic, PartitionIndexes = topic.Partitions })],
        Groups =
        [
            new()
            {
                GroupId = group,
                Topics = [.. asked.Select(static topic => new OffsetFetchRequest.Group.Topic { Name = topic.Topic, PartitionIndexes = topic.Partitions })],
            },
        ],
    };

    private static OffsetFetchRequest FetchAll(string group) => new() { GroupId = group, Topics = null, Groups = [new() { GroupId = group, Topics = null }] };

    private static JoinGroupRequest Join(string group, string member = "", int session = 10_000, string? instance = null) => new()
    {
        GroupId = group,
        SessionTimeoutMs = session,
        RebalanceTimeoutMs = 10_000,
        MemberId = member,
        GroupInstanceId = instance,
        ProtocolType = "consumer",
        Protocols = [new() { Name = "range", Metadata = new byte[] { 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff } }],
    };

    private static OffsetDeleteRequest LastOf(string group) => new() { GroupId = group, Topics = [new() { Name = "t", Partitions = [new()] }] };

    private static LeaveGroupRequest Leave(string group, string member) => new() { GroupId = group, MemberId = member, Members = [new() { MemberId = member }] };
}
