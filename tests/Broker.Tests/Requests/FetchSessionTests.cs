using LogPipeline.Broker.Fetching;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Time;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class FetchSessionTests
{
    /// <summary>The order by its definition: one after another, each that got data moves to the end.</summary>
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public void Partitions_that_got_data_are_read_last_next_time(int seed)
    {
        var random = new Random(seed);
        var sessions = new FetchSessions(10, new ManualTime(), random);
        Assert.Equal(ErrorCode.None, sessions.Begin(Request(0, 0, 0, 50), byTopicId: false, out FetchTurn turn));
        List<int> expected = [.. Numbers(turn)];
        int id = turn.Session!.Id;
        for (int epoch = 1; epoch < 30; epoch++)
        {
            List<int> withData = [.. expected.Where(_ => random.Next(3) == 0)];
            turn.Session!.News([.. turn.Partitions.Select(asked => Read(asked, withData))], all: false);
            withData.ForEach(number =>
            {
                expected.Remove(number);
                expected.Add(number);
            });
            FetchRequest next = Request(id, epoch, 0, 0);
            List<int> forgotten = [.. expected.Where(_ => random.Next(20) == 0)];
            next.ForgottenTopicsData.Add(new() { Topic = "t", Partitions = forgotten });
            expected.RemoveAll(forgotten.Contains);
            Assert.Equal(ErrorCode.None, sessions.Begin(next, byTopicId: false, out turn));
            Assert.Equal(expected, Numbers(turn));
        }
    }

    [Fact]
    public void Sessions_remember_no_more_partitions_together_than_there_is_memory_for()
    {
        var sessions = new FetchSessions(1000, new ManualTime(), new Random(1));
        const int Half = FetchSessions.PartitionsMax / 2;
        sessions.Begin(Request(0, 0, 0, Half), byTopicId: false, out FetchTurn first);
        Assert.NotNull(first.Session);
        sessions.Begin(Request(0, 0, 0, Half + 1), byTopicId: false, out FetchTurn second);
        Assert.Null(second.Session);
        Assert.Equal(Half + 1, second.Partitions.Count);
        sessions.Begin(Request(0, 0, 0, 10), byTopicId: false, out FetchTurn small);
        Assert.NotNull(small.Session);
        ErrorCode grown = sessions.Begin(Request(small.Session.Id, 1, 10, Half), byTopicId: false, out _);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, grown);
        sessions.Begin(Request(0, 0, 0, Half - 1), byTopicId: false, out FetchTurn after);
        Assert.NotNull(after.Session);
    }

    private static FetchRequest Request(int session, int epoch, int from, int count) => new()
    {
        SessionId = session,
        SessionEpoch = epoch,
        Topics = count == 0 ? [] : [new() { Name = "t", Partitions = [.. Enumerable.Range(from, count).Select(i => new FetchRequest.Topic.Partition { Index = i })] }],
    };

    private static IEnumerable<int> Numbers(FetchTurn turn) => turn.Partitions.Select(partition => partition.Key.Partition);

    private static FetchedPartition Read(FetchPartition asked, List<int> withData) => new(asked, new FetchResponse.Response.Partition
    {
        Records = withData.Contains(asked.Key.Partition) ? new RecordSet(new byte[1]) : default,
    });

    [Fact]
    public async Task A_topic_that_goes_and_comes_again_within_a_session_is_another_one()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        FetchRequest open = Ask.Fetch("", 0);
        open.Topics[0].TopicId = broker.Core.Topics.Find("t")!.Id;
        open.SessionEpoch = 0;
        FetchResponse opened = await client.FetchAsync(open, 13);
        Assert.Equal((ErrorCode.None, ErrorCode.None), (opened.ErrorCode, opened.Responses[0].Partitions[0].ErrorCode));
        broker.Core.Topics.Delete(broker.Core.Topics.Find("t")!);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await NextAsync(1));
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.InconsistentTopicId, await NextAsync(2));

        async Task<ErrorCode> NextAsync(int epoch) =>
            (await client.FetchAsync(new() { SessionId = opened.SessionId, SessionEpoch = epoch }, 13)).Responses[0].Partitions[0].ErrorCode;
    }
}
