using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class ApiVersionsTests
{
    private static readonly ApiVersionsRequest Request = new() { ClientSoftwareName = "test", ClientSoftwareVersion = "1" };

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task The_features_of_the_cluster_are_told_with_an_epoch_that_rises_with_each_change(short version)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        ApiVersionsResponse told = await client.SendAsync<ApiVersionsRequest, ApiVersionsResponse>(Request, version);
        ApiVersionsResponse.SupportedFeature supported = Assert.Single(told.SupportedFeatures);
        ApiVersionsResponse.FinalizedFeature finalized = Assert.Single(told.FinalizedFeatures);
        Assert.Equal(("metadata.version", "metadata.version"), (supported.Name, finalized.Name));
        Assert.Equal(finalized.MinVersionLevel, finalized.MaxVersionLevel);
        Assert.InRange(finalized.MaxVersionLevel, supported.MinVersion, supported.MaxVersion);

        await client.CreatedAsync("t");
        long created = (await client.SendAsync<ApiVersionsRequest, ApiVersionsResponse>(Request, version)).FinalizedFeaturesEpoch;
        Assert.InRange(created, told.FinalizedFeaturesEpoch + 1, long.MaxValue);
        broker.Core.Topics.Delete(broker.Core.Topics.Find("t")!);
        long deleted = (await client.SendAsync<ApiVersionsRequest, ApiVersionsResponse>(Request, version)).FinalizedFeaturesEpoch;
        Assert.InRange(deleted, created + 1, long.MaxValue);

        await broker.RestartAsync();
        ApiVersionsResponse again = await broker.Connect().SendAsync<ApiVersionsRequest, ApiVersionsResponse>(Request, version);
        Assert.InRange(again.FinalizedFeaturesEpoch, deleted + 1, long.MaxValue);
        Assert.Single(again.FinalizedFeatures);
    }

    [Fact]
    public async Task A_client_without_a_name_is_refused_and_told_nothing()
    {
        await using var broker = new TestBroker();
        ApiVersionsResponse told = await broker.Connect().SendAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 3);
        Assert.Equal(ErrorCode.InvalidRequest, told.ErrorCode);
        Assert.Empty(told.ApiKeys);
        Assert.Empty(told.FinalizedFeatures);
    }
}
