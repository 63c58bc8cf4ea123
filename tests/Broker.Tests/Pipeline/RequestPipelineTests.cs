using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Pipeline;

/// <summary>What security needs can be added around the handlers, without a word in them.</summary>
public sealed class RequestPipelineTests
{
    [Fact]
    public async Task A_listener_that_asks_for_authentication_answers_nothing_else_before()
    {
        await using var broker = new TestBroker();
        Listener sasl = broker.Core.Listeners[0] with { Name = "SASL", Protocol = SecurityProtocol.SaslPlaintext };
        var client = new TestClient(broker.Core, broker.Time, listener: sasl);
        var versions = new ApiVersionsRequest { ClientSoftwareName = "n", ClientSoftwareVersion = "1.0" };
        Assert.Equal(ErrorCode.None, (await client.SendAsync<ApiVersionsRequest, ApiVersionsResponse>(versions)).ErrorCode);
        client.Post<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = [] }, 9);
        await client.ClosedAsync();
        Assert.Equal(1, broker.Log.Count("before the client has authenticated"));
    }

    [Fact]
    public async Task What_a_principal_may_not_do_is_taken_out_before_the_handler_and_answered_after_it()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("mine");
        await client.CreatedAsync("secret");
        broker.Core.Pipeline.Policies = new RequestPolicies(new DenyTopic("secret"), Quota: null);
        broker.Core.Pipeline.Served.OfType<RequestHandler<ProduceRequest, ProduceResponse>>().Single().Access = new ProduceAccess();
        ProduceRequest request = Ask.Produce("mine", Ask.Batch(1));
        request.TopicData.Add(Ask.Produce("secret", Ask.Batch(1)).TopicData[0]);
        ProduceResponse response = await client.SendAsync<ProduceRequest, ProduceResponse>(request, 9);
        Assert.Equal(
            [("mine", ErrorCode.None), ("secret", ErrorCode.TopicAuthorizationFailed)],
            response.Responses.Select(topic => (topic.Name, topic.PartitionResponses[0].ErrorCode)));
        Assert.Equal(0, broker.Core.Topics.Find("secret")!.Partitions[0].HighWatermark);
        response = await client.SendAsync<ProduceRequest, ProduceResponse>(Ask.Produce("secret", Ask.Batch(1)), 9);
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, response.Responses[0].PartitionResponses[0].ErrorCode);
    }

    [Fact]
    public async Task A_client_that_is_too_fast_is_told_so_and_not_read_for_that_time()
    {
        await using var broker = new TestBroker();
        var wait = TimeSpan.FromSeconds(3);
        broker.Core.Pipeline.Policies = new RequestPolicies(AllowAll.Instance, new SlowDown("hasty", wait));
        TestClient hasty = broker.Connect("hasty");
        Assert.Equal(3000, (await hasty.SendAsync<ListGroupsRequest, ListGroupsResponse>(new())).ThrottleTimeMs);
        int next = hasty.Post<ListGroupsRequest, ListGroupsResponse>(new ListGroupsRequest(), 4);
        await broker.Time.UntilDueInAsync(wait);
        Assert.Equal(0, (await broker.Connect("patient").SendAsync<ListGroupsRequest, ListGroupsResponse>(new())).ThrottleTimeMs);
        Assert.False(hasty.Transport.Sent.TryPeek(out _));
        broker.Time.Advance(wait);
        await hasty.NextAsync<ListGroupsRequest, ListGroupsResponse>(next, 4);
    }

    [Fact]
    public async Task What_a_client_fetched_is_charged_with_its_next_request()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(1, size: 50_000));
        var bill = new Bill();
        broker.Core.Pipeline.Policies = new RequestPolicies(AllowAll.Instance, bill);
        await client.FetchAsync(Ask.Fetch("t", 0));
        await client.SendAsync<ListGroupsRequest, ListGroupsResponse>(new());
        Assert.Equal([ApiKey.Fetch, ApiKey.ListGroups], bill.Usages.Select(usage => usage.Api));
        Assert.Equal(0, bill.Usages[0].AnsweredBytes);
        Assert.InRange(bill.Usages[1].AnsweredBytes, 50_000, 51_000);
    }

    private sealed class DenyTopic(string topic) : IAuthorizer
    {
        public bool Allows(Principal principal, string clientHost, Operation operation, ResourceType type, string name) =>
            principal != Principal.Anonymous || operation != Operation.Write || type != ResourceType.Topic || name != topic;
    }

    private sealed class ProduceAccess : AccessRule<ProduceRequest, ProduceResponse>
    {
        public override Denial<ProduceResponse>? Check(ProduceRequest request, RequestContext context)
        {
            List<ProduceRequest.TopicDataEntry> denied = request.TopicData.FindAll(
                topic => !context.Allows(Operation.Write, ResourceType.Topic, topic.Name));
            request.TopicData.RemoveAll(denied.Contains);
            return denied.Count == 0 ? null : new Denial<ProduceResponse>(
                request.TopicData.Count == 0 ? new ProduceResponse() : null,
                response => response.Responses.AddRange(denied.ConvertAll(Refused)));
        }

        private static ProduceResponse.Response Refused(ProduceRequest.TopicDataEntry topic) => new()
        {
            Name = topic.Name,
            PartitionResponses = topic.PartitionData.ConvertAll(partition => new ProduceResponse.Response.PartitionResponse
            {
                Index = partition.Index,
                BaseOffset = -1,
                ErrorCode = ErrorCode.TopicAuthorizationFailed,
            }),
        };
    }

    private sealed class SlowDown(string client, TimeSpan wait) : IQuota
    {
        public TimeSpan Charge(in Usage usage) => usage.ClientId == client ? wait : TimeSpan.Zero;
    }

    private sealed class Bill : IQuota
    {
        public List<Usage> Usages { get; } = [];

        public TimeSpan Charge(in Usage usage)
        {
            Usages.Add(usage);
            return TimeSpan.Zero;
        }
    }
}
