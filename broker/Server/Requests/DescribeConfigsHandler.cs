using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Config = LogPipeline.Protocol.Messages.DescribeConfigsResponse.Result.Config;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeConfigs, of topics and of this broker: values, where they come from, and what else would count.</summary>
internal sealed class DescribeConfigsHandler(TopicRegistry topics, BrokerSettings settings, int nodeId)
    : RequestHandler<DescribeConfigsRequest, DescribeConfigsResponse>
{
    private const sbyte TopicResource = 2;
    private const sbyte BrokerResource = 4;
    private const sbyte TopicSource = 1;
    private const sbyte BrokerSource = 4;
    private const sbyte DefaultSource = 5;

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
            case TopicResource when topics.Find(resource.ResourceName) is { } topic:
                result.Configs.AddRange(Wanted(TopicSettingTable.All, resource).Select(setting => Describe(topic, setting, request)));
                break;
            case TopicResource when TopicName.Problem(resource.ResourceName) is { } problem:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidTopicException, problem);
                break;
            case TopicResource:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
                break;
            case BrokerResource when resource.ResourceName.Length == 0:
                break;
            case BrokerResource when resource.ResourceName == nodeId.ToString(System.Globalization.CultureInfo.InvariantCulture):
                result.Configs.AddRange(Wanted(BrokerSettingTable.All, resource).Select(setting => Describe(setting, request)));
                break;
            case BrokerResource:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidRequest,
                    $"Unexpected broker id, expected {nodeId} or empty string, but received {resource.ResourceName}");
                break;
            default:
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidRequest, $"Unsupported resource type: {resource.ResourceType}");
                break;
        }
        return result;
    }

    private static IEnumerable<SettingDefinition> Wanted(IReadOnlyList<SettingDefinition> all, DescribeConfigsRequest.Resource resource) =>
        resource.ConfigurationKeys is { } keys ? all.Where(setting => keys.Contains(setting.Name)) : all;

    private Config Describe(Topic topic, SettingDefinition setting, DescribeConfigsRequest request)
    {
        bool given = topic.Settings.Given.ContainsKey(setting.Name);
        bool inherited = setting.BrokerName is { } name && settings.IsGiven(name);
        Config config = Entry(setting, topic.Settings.Value(setting), given ? TopicSource : inherited ? BrokerSource : DefaultSource, request);
        if (request.IncludeSynonyms)
        {
            AddSynonym(config, given, setting.Name, topic.Settings.Value(setting), TopicSource);
            AddSynonym(config, inherited, setting.BrokerName!, topic.Settings.Inherited(setting), BrokerSource);
            AddSynonym(config, setting.Default is not null, setting.BrokerName ?? setting.Name, setting.Default, DefaultSource);
        }
        return config;
    }

    private Config Describe(SettingDefinition setting, DescribeConfigsRequest request)
    {
        bool given = settings.IsGiven(setting.Name);
        Config config = Entry(setting, settings.Value(setting.Name), given ? BrokerSource : DefaultSource, request);
        config.ReadOnly = true;
        if (request.IncludeSynonyms)
        {
            AddSynonym(config, given, setting.Name, config.Value, BrokerSource);
            AddSynonym(config, setting.Default is not null, setting.Name, setting.Default, DefaultSource);
        }
        return config;
    }

    private static Config Entry(SettingDefinition setting, string? value, sbyte source, DescribeConfigsRequest request) => new()
    {
        Name = setting.Name,
        Value = value,
        IsDefault = source == DefaultSource,
        ConfigSource = source,
        ConfigType = (sbyte)setting.Type,
        Documentation = request.IncludeDocumentation ? setting.Documentation : null,
    };

    private static void AddSynonym(Config config, bool when, string name, string? value, sbyte source)
    {
        if (when)
        {
            config.Synonyms.Add(new() { Name = name, Value = value, Source = source });
        }
    }
}
