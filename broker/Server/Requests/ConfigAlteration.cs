using System.Globalization;
using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;

namespace LogPipeline.Broker.Requests;

/// <summary>What is answered for one resource: None with a remark for the client, or None without, or an error with the reason.</summary>
internal readonly record struct AlterOutcome(ErrorCode Error, string? Message);

// _lock serialises changes, since each is computed from what is in force. A change is durable before it takes effect.
/// <summary>Changes the settings of topics and of this broker, for AlterConfigs and IncrementalAlterConfigs, in Kafka's words.</summary>
internal sealed class ConfigAlteration(ClusterMetadata cluster, TopicRegistry topics, BrokerSettings settings, int nodeId)
{
    /// <summary>The answer for each resource that a request names twice.</summary>
    public static readonly AlterOutcome RepeatedResource = Invalid("Each resource must appear at most once.");

    private readonly Lock _lock = new();

    /// <summary>The resources that are named more than once.</summary>
    public static HashSet<(sbyte Type, string Name)> Repeated(IEnumerable<(sbyte Type, string Name)> resources) =>
        [.. resources.CountBy(resource => resource).Where(count => count.Value > 1).Select(count => count.Key)];

    /// <summary>Changes the settings of one resource: all that is asked, or nothing.</summary>
    /// <param name="type">Kafka's number for the kind of resource, as in <see cref="ConfigResource"/>.</param>
    /// <param name="name">A topic; or this broker's id, or nothing for all brokers of the cluster.</param>
    /// <param name="changes">What is asked.</param>
    /// <param name="replaceAll">Whether settings that are not named are inherited again.</param>
    /// <param name="validateOnly">Whether the change is only checked.</param>
    public AlterOutcome Alter(sbyte type, string name, IReadOnlyList<SettingChange> changes, bool replaceAll, bool validateOnly)
    {
        if (Refusal(changes) is { } refused)
        {
            return refused;
        }
        lock (_lock)
        {
            return type switch
            {
                ConfigResource.TopicType => AlterTopic(name, changes, replaceAll, validateOnly),
                ConfigResource.BrokerType => AlterBroker(name, changes, replaceAll, validateOnly),
                _ => Invalid($"Unknown resource type {type}"),
            };
        }
    }

    private static AlterOutcome? Refusal(IReadOnlyList<SettingChange> changes)
    {
        if (changes.Select(change => change.Name).Distinct(StringComparer.Ordinal).Count() < changes.Count)
        {
            return Invalid("Error due to duplicate config keys");
        }
        foreach (SettingChange change in changes)
        {
            if (!Enum.IsDefined(change.Operation))
            {
                return Invalid($"Unknown operation {(sbyte)change.Operation} for {change.Name}");
            }
            if (change.Operation != SettingOperation.Delete && change.Value is null)
            {
                return Invalid($"Null value not supported for : {change.Name}");
            }
        }
        return null;
    }

    private AlterOutcome AlterTopic(string name, IReadOnlyList<SettingChange> changes, bool replaceAll, bool validateOnly)
    {
        if (name.Length == 0)
        {
            return Invalid("Default topic resources are not allowed.");
        }
        if (TopicName.Problem(name) is { } misnamed)
        {
            return new(ErrorCode.InvalidTopicException, misnamed);
        }
        if (topics.Find(name) is not { } topic)
        {
            return new(ErrorCode.UnknownTopicOrPartition, $"The topic '{name}' does not exist.");
        }
        var given = new Dictionary<string, string>(replaceAll ? [] : topic.Settings.Given, StringComparer.Ordinal);
        foreach (SettingChange change in changes)
        {
            SettingDefinition? definition = TopicSettingTable.Find(change.Name);
            if (change.Apply(given, definition, definition is null ? null : topic.Settings.Inherited(definition)) is { } impossible)
            {
                return new(ErrorCode.InvalidConfig, impossible);
            }
        }
        if (TopicSettings.Problem(given.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))) is { } problem)
        {
            return new(ErrorCode.InvalidConfig, problem);
        }
        return Finish(() => topics.ChangeSettings(topic, given), changes, TopicSettingTable.Find, validateOnly);
    }

    private AlterOutcome AlterBroker(string name, IReadOnlyList<SettingChange> changes, bool replaceAll, bool validateOnly)
    {
        bool ofCluster = name.Length == 0;
        if (!ofCluster && BrokerRefusal(name) is { } refused)
        {
            return refused;
        }
        if (changes.FirstOrDefault(change => BrokerSettingTable.Find(change.Name) is null) is { } unknown)
        {
            return new(ErrorCode.InvalidConfig, $"Unknown broker config name: {unknown.Name}");
        }
        List<string> unchangeable = [.. changes.Select(change => change.Name).Where(setting => !BrokerSettingTable.IsDynamic(setting))];
        if (unchangeable.Count > 0)
        {
            return Invalid($"Cannot update these configs dynamically: Set({string.Join(", ", unchangeable)})");
        }
        DynamicSettings now = settings.Dynamic;
        var given = new Dictionary<string, string>(replaceAll ? [] : ofCluster ? now.OfCluster : now.OfBroker, StringComparer.Ordinal);
        foreach (SettingChange change in changes)
        {
            SettingDefinition definition = BrokerSettingTable.Find(change.Name)!;
            string? problem = change.Apply(given, definition, settings.Value(change.Name));
            problem ??= given.TryGetValue(change.Name, out string? value) ? definition.Problem(value) : null;
            if (problem is not null)
            {
                return Invalid(problem);
            }
        }
        return Finish(() => ChangeBroker(ofCluster, given), changes, BrokerSettingTable.Find, validateOnly);
    }

    private AlterOutcome? BrokerRefusal(string name) =>
        !int.TryParse(name, CultureInfo.InvariantCulture, out int id) ? Invalid($"Node id must be an integer, but it is: {name}")
        : id != nodeId ? Invalid($"Unexpected broker id, expected {nodeId}, but received {name}")
        : null;

    private void ChangeBroker(bool ofCluster, IReadOnlyDictionary<string, string> given)
    {
        ConfigResource resource = ofCluster ? ConfigResource.Cluster : ConfigResource.Broker(nodeId);
        List<IMetadataRecord> records = [.. ConfigRecord.Changes(resource, cluster.Image.ConfigsOf(resource), given)];
        if (records.Count > 0)
        {
            cluster.Change(records);
            settings.Dynamic = cluster.Image.DynamicSettingsOf(nodeId);
            topics.TakeInheritedSettings();
        }
    }

    private static AlterOutcome Finish(
        Action change, IReadOnlyList<SettingChange> changes, Func<string, SettingDefinition?> find, bool validateOnly)
    {
        if (!validateOnly)
        {
            try
            {
                change();
            }
            catch (IOException e)
            {
                return new(ErrorCode.KafkaStorageError, e.Message);
            }
        }
        IEnumerable<SettingChange> given = changes.Where(made => made.Operation != SettingOperation.Delete);
        return new(ErrorCode.None, SettingDefinition.RemarkOn(given.Select(made => (find(made.Name)!, made.Value!))));
    }

    private static AlterOutcome Invalid(string message) => new(ErrorCode.InvalidRequest, message);
}
