using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.CreatePartitionsResponse.Result;
using Assignment = LogPipeline.Protocol.Messages.CreatePartitionsRequest.Topic.Assignment;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class CreatePartitionsTests
{
    [Fact]
    public async Task Added_partitions_are_told_are_written_to_and_survive_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 2, 1, ("retention.ms", "3600000"));
        await client.ProduceAsync("t", Ask.Batch(3), partition: 1);
        Assert.Equal(ErrorCode.None, (await AddAsync(client, "t", 4)).ErrorCode);
        Assert.Equal(4, (await client.MetadataAsync("t")).Partitions.Count);
        Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(2), partition: 3)).BaseOffset);
        broker.Crash();
        client = broker.Connect();
        Assert.Equal(4, (await client.MetadataAsync("t")).Partitions.Count);
        Assert.Equal(2, (await client.ProduceAsync("t", Ask.Batch(1), partition: 3)).BaseOffset);
        Assert.Equal(3, (await client.ProduceAsync("t", Ask.Batch(1), partition: 1)).BaseOffset);
    }

    [Theory]
    [InlineData("t", 2, ErrorCode.InvalidPartitions, "Topic already has 2 partition(s).")]
    [InlineData("t", 1, ErrorCode.InvalidPartitions, "The topic t currently has 2 partition(s); 1 would not be an increase.")]
    [InlineData("t", -5, ErrorCode.InvalidPartitions, "The topic t currently has 2 partition(s); -5 would not be an increase.")]
    [InlineData("t", int.MaxValue, ErrorCode.PolicyViolation, "Excessively large number of partitions per request: at most 10000 are created.")]
    [InlineData("nowhere", 3, ErrorCode.UnknownTopicOrPartition, null)]
    public async Task What_is_no_increase_is_refused_in_Kafkas_words(string topic, int count, ErrorCode error, string? text)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        Answer answer = await AddAsync(client, topic, count);
        Assert.Equal((topic, error, text), (answer.Name, answer.ErrorCode, answer.ErrorMessage));
        Assert.Equal(2, (await client.MetadataAsync("t")).Partitions.Count);
    }

    [Theory]
    [InlineData("1;1", null)]
    [InlineData("1", "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.")]
    [InlineData("1;7", "The manual partition assignment includes broker 7, but no such broker is registered.")]
    [InlineData("1;1,1", "The manual partition assignment includes the broker 1 more than once.")]
    [InlineData("1;", "The manual partition assignment includes an empty replica list.")]
    public async Task Assignments_must_name_this_broker_for_each_added_partition(string brokers, string? problem)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        List<Assignment> assignments = [.. brokers.Split(';').Select(ids =>
            new Assignment { BrokerIds = [.. ids.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)] })];
        Answer answer = await AddAsync(client, "t", 4, assignments);
        Assert.Equal((problem is null ? ErrorCode.None : ErrorCode.InvalidReplicaAssignment, problem), (answer.ErrorCode, answer.ErrorMessage));
    }

    [Fact]
    public async Task A_topic_named_twice_and_the_offsets_topic_are_refused_and_a_check_alone_adds_nothing()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 2);
        CreatePartitionsResponse response = await client.SendAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { Topics = [new() { Name = "t", Count = 2 }, new() { Name = "t", Count = 3 }] });
        Assert.Equal((ErrorCode.InvalidRequest, "Duplicate topic name."), (Assert.Single(response.Results).ErrorCode, response.Results[0].ErrorMessage));
        Assert.Equal(ErrorCode.InvalidRequest, (await AddAsync(client, "__consumer_offsets", 60)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await AddAsync(client, "t", 9, validateOnly: true)).ErrorCode);
        Assert.Single((await client.MetadataAsync("t")).Partitions);
    }

    [Fact]
    public async Task More_partitions_than_files_can_be_opened_for_are_refused_before_any_is_made()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        broker.Files.HandlesMax = 1_100; // of which 1,024 are left to sockets
        Answer answer = await AddAsync(client, "t", 200);
        Assert.Equal(ErrorCode.PolicyViolation, answer.ErrorCode);
        Assert.Contains("file handles", answer.ErrorMessage, StringComparison.Ordinal);
        Assert.Single((await client.MetadataAsync("t")).Partitions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_disk_that_refuses_any_call_adds_none_and_the_next_try_or_start_goes_on(bool crashes)
    {
        bool wasReached = true;
        for (int call = 1; wasReached; call++)
        {
            await using var broker = new TestBroker();
            TestClient client = broker.Connect();
            await client.CreatedAsync("t");
            int left = call;
            broker.Files.Before = _ =>
            {
                if (--left == 0)
                {
                    throw new IOException("No space left on device");
                }
            };
            bool added = (await AddAsync(client, "t", 4)).ErrorCode == ErrorCode.None;
            wasReached = left <= 0;
            broker.Files.Before = null;
            if (crashes)
            {
                broker.Crash();
                client = broker.Connect();
            }
            // The disk may have kept what it refused to confirm.
            Assert.Contains((await client.MetadataAsync("t")).Partitions.Count, added ? [4] : crashes ? [1, 4] : new[] { 1 });
            Assert.Equal(ErrorCode.None, (await AddAsync(client, "t", 5)).ErrorCode);
            Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(1), partition: 4)).BaseOffset);
        }
    }

    [Fact]
    public async Task A_power_cut_at_any_step_leaves_all_of_the_new_partitions_or_none()
    {
        bool wasReached = true;
        for (int call = 1; wasReached; call++)
        {
            await using var broker = new TestBroker();
            TestClient client = broker.Connect();
            await client.CreatedAsync("t");
            int left = call;
            broker.Files.Before = _ =>
            {
                if (--left == 0)
                {
                    broker.Files.Kill();
                }
            };
            try
            {
                await AddAsync(client, "t", 3);
            }
            catch (System.Threading.Channels.ChannelClosedException)
            {
            }
            wasReached = left <= 0;
            broker.Files.Kill();
            broker.Crash();
            client = broker.Connect();
            Assert.Contains((await client.MetadataAsync("t")).Partitions.Count, new[] { 1, 3 });
            Assert.Equal(ErrorCode.None, (await AddAsync(client, "t", 4)).ErrorCode);
            Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(1), partition: 3)).BaseOffset);
        }
    }

    private static async Task<Answer> AddAsync(
        TestClient client, string topic, int count, List<Assignment>? assignments = null, bool validateOnly = false)
    {
        CreatePartitionsResponse response = await client.SendAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { Topics = [new() { Name = topic, Count = count, Assignments = assignments }], ValidateOnly = validateOnly });
        return response.Results[0];
    }
}
