using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Config = LogPipeline.Protocol.Messages.DescribeConfigsResponse.Result.Config;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeConfigs, of topics and of this broker: values, where they come from, and what else would count.</summary>
internal sealed class DescribeConfigsHandler(ClusterMetadata cluster, BrokerSettings settings)
    : RequestHandler<DescribeConfigsRequest, DescribeConfigsResponse>
{
    protected override ValueTask<DescribeConfigsResponse?> AnswerAsync(
        DescribeConfigsRequest request, RequestContext context, CancellationToken cancellation) =>
        new(new DescribeConfigsResponse { Results = [.. Distinct(request).Select(resource => Describe(resource, request))] });

    /// <summary>Each resource once: hundreds of settings are told of one.</summary>
    private static IEnumerable<DescribeConfigsRequest.Resource> Distinct(DescribeConfigsRequest request) =>
        request.Resources.DistinctBy(resource => (resource.ResourceType, resource.ResourceName));

    private DescribeConfigsResponse.Result Describe(DescribeConfigsRequest.Resource resource, DescribeConfigsRequest request)
    {
        var result = new DescribeConfigsResponse.Result { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName };
        switch (resource.ResourceType)
        {
            case ConfigResource.TopicType when cluster.Image is var image && image.Find(resource.ResourceName) is not null:
                var topic = new TopicSettings(settings, image.ConfigsOf(ConfigResource.Topic(resource.ResourceName)));
                result.Configs.AddRange(Wanted(TopicSettingTable.All, resource).Select(setting => Describe(topic, setting, request)));
                break;
            case ConfigResource.TopicType when TopicName.Problem(resource.ResourceName) is { } problem:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidTopicException, problem);
                break;
            case ConfigResource.TopicType:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.UnknownTopicOrPartition, null);
                break;
            case ConfigResource.BrokerType when resource.ResourceName.Length == 0:
                result.Configs.AddRange(Wanted(ChangedForAll(), resource).Select(setting => DescribeForAll(setting, request)));
                break;
            case ConfigResource.BrokerLoggersType when IsBroker(resource.ResourceName):
                break; // what is told of is chosen at the start, and belongs to no logger of its own
            case ConfigResource.BrokerType when IsBroker(resource.ResourceName):
                result.Configs.AddRange(Wanted(BrokerSettingTable.All, resource).Select(setting => Describe(setting, request)));
                break;
            case ConfigResource.BrokerType or ConfigResource.BrokerLoggersType:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidRequest,
                    $"Unexpected broker id, expected {string.Join(", ", cluster.Image.Brokers.Keys)} or empty string, but received {resource.ResourceName}");
                break;
            default:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidRequest, $"Unsupported resource type: {resource.ResourceType}");
                break;
        }
        return result;
    }

    private bool IsBroker(string name) =>
        cluster.Image.Brokers.Keys.Any(id => name == id.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static IEnumerable<SettingDefinition> Wanted(IEnumerable<SettingDefinition> all, DescribeConfigsRequest.Resource resource) =>
        resource.ConfigurationKeys is { } keys ? all.Where(setting => keys.Contains(setting.Name)) : all;

    private Config Describe(TopicSettings topic, SettingDefinition setting, DescribeConfigsRequest request)
    {
        var values = new List<Config.Synonym>();
        if (topic.Given.TryGetValue(setting.Name, out string? given))
        {
            values.Add(Value(setting.Name, given, SettingSource.Topic));
        }
        if (setting.BrokerName is { } name && BrokerSettingTable.Find(name) is not null)
        {
            values.AddRange(settings.Values(name).Select(value => Value(name, value.Value, value.Source)));
        }
        Config entry = Entry(setting, values, request);
        if (values.Count == 0)
        {
            entry.Value = setting.Default; // a default of the topic's own is in force, and no synonym
        }
        return entry;
    }

    private Config Describe(SettingDefinition setting, DescribeConfigsRequest request)
    {
        Config config = Entry(setting, [.. settings.Values(setting.Name).Select(value => Value(setting.Name, value.Value, value.Source))], request);
        config.ReadOnly = !BrokerSettingTable.IsDynamic(setting.Name);
        return config;
    }

    /// <summary>What was changed for all brokers of the cluster; nothing else belongs to the cluster itself.</summary>
    private IEnumerable<SettingDefinition> ChangedForAll() => settings.Dynamic.OfCluster.Keys.Select(name => BrokerSettingTable.Find(name)!);

    private Config DescribeForAll(SettingDefinition setting, DescribeConfigsRequest request) =>
        Entry(setting, [Value(setting.Name, settings.Dynamic.OfCluster[setting.Name], SettingSource.DynamicCluster)], request);

    /// <param name="setting">What is described.</param>
    /// <param name="values">Its values, the one in force first; none when it has no value.</param>
    /// <param name="request">Says what is wanted beside the value.</param>
    private static Config Entry(SettingDefinition setting, List<Config.Synonym> values, DescribeConfigsRequest request)
    {
        sbyte source = values.Count > 0 ? values[0].Source : (sbyte)SettingSource.Default;
        return new()
        {
            Name = setting.Name,
            Value = values.Count > 0 ? values[0].Value : null,
            IsDefault = source == (sbyte)SettingSource.Default,
            ConfigSource = source,
            ConfigType = (sbyte)setting.Type,
            Documentation = request.IncludeDocumentation ? setting.Documentation : null,
            Synonyms = request.IncludeSynonyms ? values : [],
        };
    }

    private static Config.Synonym Value(string name, string value, SettingSource source) =>
        new() { Name = name, Value = value, Source = (sbyte)source };
}
