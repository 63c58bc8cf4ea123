using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Harness;

/// <summary>Requests that change settings, and what is told of them.</summary>
internal static class Configs
{
    public const sbyte TopicResource = 2;
    public const sbyte BrokerResource = 4;

    public const sbyte Set = 0;
    public const sbyte Delete = 1;
    public const sbyte Append = 2;
    public const sbyte Subtract = 3;

    private const sbyte TopicSource = 1;
    private const sbyte DynamicBrokerSource = 2;
    private const sbyte DynamicClusterSource = 3;

    public static Task<(ErrorCode Error, string? Message)> ChangeAsync(
        this TestClient client, sbyte type, string name, params (sbyte Operation, string Key, string? Value)[] changes) =>
        client.ChangeAsync(validateOnly: false, type, name, changes);

    public static async Task<(ErrorCode Error, string? Message)> ChangeAsync(
        this TestClient client, bool validateOnly, sbyte type, string name, params (sbyte Operation, string Key, string? Value)[] changes)
    {
        var request = new IncrementalAlterConfigsRequest
        {
            ValidateOnly = validateOnly,
            Resources = [new()
            {
                ResourceType = type,
                ResourceName = name,
                Configs = [.. changes.Select(c => new IncrementalAlterConfigsRequest.Resource.Config { Name = c.Key, ConfigOperation = c.Operation, Value = c.Value })],
            }],
        };
        IncrementalAlterConfigsResponse.Response answer =
            (await client.SendAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(request)).Responses[0];
        Assert.Equal((type, name), (answer.ResourceType, answer.ResourceName));
        return (answer.ErrorCode, answer.ErrorMessage);
    }

    public static async Task<(ErrorCode Error, string? Message)> ReplaceAsync(
        this TestClient client, sbyte type, string name, params (string Key, string Value)[] settings)
    {
        var request = new AlterConfigsRequest
        {
            Resources = [new()
            {
                ResourceType = type,
                ResourceName = name,
                Configs = [.. settings.Select(s => new AlterConfigsRequest.Resource.Config { Name = s.Key, Value = s.Value })],
            }],
        };
        AlterConfigsResponse.Response answer = (await client.SendAsync<AlterConfigsRequest, AlterConfigsResponse>(request)).Responses[0];
        return (answer.ErrorCode, answer.ErrorMessage);
    }

    public static void Answered(ErrorCode error, string? message, (ErrorCode Error, string? Message) answer) =>
        Assert.Equal((error, message), answer);

    /// <summary>What DescribeConfigs tells of one setting, with its synonyms.</summary>
    public static async Task<DescribeConfigsResponse.Result.Config> DescribeAsync(this TestClient client, sbyte type, string name, string key) =>
        Assert.Single(await client.DescribeAllAsync(type, name, [key]));

    /// <summary>The settings that were given for the resource itself, by name.</summary>
    public static async Task<IReadOnlyList<(string Key, string? Value)>> OwnAsync(this TestClient client, sbyte type, string name) =>
    [
        .. from config in await client.DescribeAllAsync(type, name, null)
           where config.ConfigSource is TopicSource or DynamicBrokerSource || (name.Length == 0 && config.ConfigSource == DynamicClusterSource)
           orderby config.Name
           select (config.Name, config.Value),
    ];

    private static async Task<List<DescribeConfigsResponse.Result.Config>> DescribeAllAsync(
        this TestClient client, sbyte type, string name, List<string>? keys)
    {
        DescribeConfigsResponse response = await client.SendAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = keys }], IncludeSynonyms = true });
        Assert.Equal(ErrorCode.None, response.Results[0].ErrorCode);
        return response.Results[0].Configs;
    }
}
