using LogPipeline.Client.Consuming;
using LogPipeline.Client.Consuming.Assignors;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Consuming;

/// <summary>A member of a group whose coordinator is slow, refuses, or lets it wait.</summary>
public sealed class MembershipTests
{
    private readonly ManualTime _time = new();
    private readonly ScriptedBroker _broker = new();
    private readonly TaskCompletionSource _joined = new();

    public MembershipTests()
    {
        _broker.On<FindCoordinatorRequest, FindCoordinatorResponse>(_ => Coordinator());
        _broker.OnAsync<JoinGroupRequest, JoinGroupResponse>(_ =>
        {
            _joined.TrySetResult();
            return new TaskCompletionSource<JoinGroupResponse?>().Task;
        });
    }

    [Fact]
    public void A_coordinator_that_is_silent_for_the_whole_lookup_is_asked_again_within_the_same_poll() => OneThread.Run(_time, async () =>
    {
        int asked = 0;
        _broker.OnAsync<FindCoordinatorRequest, FindCoordinatorResponse>(
            _ => ++asked == 1 ? new TaskCompletionSource<FindCoordinatorResponse?>().Task : Task.FromResult<FindCoordinatorResponse?>(Coordinator()));
        // The time of the lookup is up before the request's own, so there is no failure of an attempt to tell.
        await using ClusterClient cluster = NewCluster(TimeSpan.FromSeconds(20));
        await using Consumer consumer = NewConsumer(cluster);
        using var stop = new CancellationTokenSource();
        Task polling = consumer.PollAsync(stop.Token).AsTask();
        await InTimeAsync(Task.WhenAny(_joined.Task, polling));
        Assert.True(_joined.Task.IsCompleted, $"no join; the poll: {polling.Exception?.InnerException?.Message ?? "waits"}");
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => InTimeAsync(polling));
    });

    [Fact]
    public void A_join_that_was_refused_for_good_is_told_by_each_poll_anew() => OneThread.Run(_time, async () =>
    {
        int asked = 0;
        _broker.On<JoinGroupRequest, JoinGroupResponse>(_ =>
        {
            asked++;
            return new JoinGroupResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed };
        });
        await using ClusterClient cluster = NewCluster(TimeSpan.FromSeconds(30));
        await using Consumer consumer = NewConsumer(cluster);
        for (int poll = 0; poll < 3; poll++)
        {
            BrokerErrorException refused = await Assert.ThrowsAsync<BrokerErrorException>(() => InTimeAsync(consumer.PollAsync(CancellationToken.None).AsTask()));
            Assert.Equal(ErrorCode.GroupAuthorizationFailed, refused.Code);
            Assert.Equal(poll + 1, asked);
        }
    });

    [Fact]
    public void A_poll_that_is_cancelled_while_the_listener_works_ends_after_it() => OneThread.Run(_time, async () =>
    {
        _broker.Lead("t", partitions: 1);
        _broker.On<JoinGroupRequest, JoinGroupResponse>(_ => new JoinGroupResponse { GenerationId = 1, MemberId = "m", Leader = "other", ProtocolName = "cooperative-sticky" });
        _broker.On<SyncGroupRequest, SyncGroupResponse>(_ => new SyncGroupResponse
        {
            Assignment = ConsumerProtocol.WriteAssignment([new TopicPartition("t", 0)]),
        });
        _broker.On<LeaveGroupRequest, LeaveGroupResponse>(_ => new LeaveGroupResponse());
        await using ClusterClient cluster = NewCluster(TimeSpan.FromSeconds(30));
        var listener = new SlowListener();
        await using Consumer consumer = NewConsumer(cluster, listener);
        listener.Consumer = consumer;
        using var stop = new CancellationTokenSource();
        Task polling = consumer.PollAsync(stop.Token).AsTask();
        await InTimeAsync(listener.Called.Task);
        stop.Cancel();
        // The clock moves when nothing is left to do.
        await Task.Delay(TimeSpan.FromSeconds(1), _time);
        Assert.False(polling.IsCompleted, "the poll ended while the listener was at work");
        listener.Release.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => InTimeAsync(polling));
        Assert.Null(listener.Failure);
    });

    [Fact]
    public void Partitions_that_were_added_to_a_topic_are_shared_out_within_seconds() => OneThread.Run(_time, async () =>
    {
        _broker.Lead("t", partitions: 1);
        TaskCompletionSource first = new();
        TaskCompletionSource grown = new();
        ReadOnlyMemory<byte> subscription = ConsumerProtocol.WriteSubscription(new Subscription(["t"], [], 1, null));
        _broker.On<JoinGroupRequest, JoinGroupResponse>(_ => new JoinGroupResponse
        {
            GenerationId = 1, MemberId = "m", Leader = "m", ProtocolName = "cooperative-sticky", Members = [new() { MemberId = "m", Metadata = subscription }],
        });
        _broker.On<HeartbeatRequest, HeartbeatResponse>(_ => new HeartbeatResponse());
        _broker.On<LeaveGroupRequest, LeaveGroupResponse>(_ => new LeaveGroupResponse());
        _broker.On<SyncGroupRequest, SyncGroupResponse>(request =>
        {
            ReadOnlyMemory<byte> share = request.Assignments.Single().AssignmentValue;
            (ConsumerProtocol.ReadAssignment(share).Count == 1 ? first : grown).TrySetResult();
            return new SyncGroupResponse { Assignment = share };
        });
        _broker.On<OffsetFetchRequest, OffsetFetchResponse>(_ => new OffsetFetchResponse { ErrorCode = ErrorCode.CoordinatorLoadInProgress }, newest: 7);
        await using ClusterClient cluster = NewCluster(TimeSpan.FromSeconds(30));
        await using Consumer consumer = NewConsumer(cluster);
        using var stop = new CancellationTokenSource();
        Task polling = consumer.PollAsync(stop.Token).AsTask();
        await InTimeAsync(first.Task);
        _broker.Lead("t", partitions: 2);
        await grown.Task.WaitAsync(TimeSpan.FromSeconds(20), _time);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => InTimeAsync(polling));
    });

    private static FindCoordinatorResponse Coordinator() => new() { Host = "b", Port = 1, Coordinators = [new() { Host = "b", Port = 1 }] };

    private ClusterClient NewCluster(TimeSpan lookup) =>
        new(new ClientOptions { Bootstrap = ["b:1"], LookupTimeout = lookup }, _broker, _time, new Random(1));

    private Consumer NewConsumer(ClusterClient cluster, IRebalanceListener? listener = null)
    {
        var consumer = new Consumer(new ConsumerOptions { Group = "g" }, cluster, _time, new Random(2));
        consumer.Subscribe(["t"], listener);
        return consumer;
    }

    private Task InTimeAsync(Task task) => task.WaitAsync(TimeSpan.FromMinutes(5), _time);

    /// <summary>Holds the rebalance up; then does what a listener may do with what it was given.</summary>
    private sealed class SlowListener : IRebalanceListener
    {
        public Consumer Consumer { get; set; } = null!;

        public TaskCompletionSource Called { get; } = new();

        public TaskCompletionSource Release { get; } = new();

        public Exception? Failure { get; private set; }

        public async ValueTask AssignedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
        {
            Failure = Record.Exception(() =>
            {
                Consumer.Pause(partitions[0]);
                Consumer.Seek(partitions[0], 7);
            });
            Called.SetResult();
            await Release.Task;
        }

        public ValueTask RevokedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct) => default;

        public ValueTask LostAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct) => default;
    }
}
