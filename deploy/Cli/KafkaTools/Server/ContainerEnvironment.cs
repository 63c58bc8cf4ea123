using LogPipeline.Broker.Settings;

namespace LogPipeline.Cli.KafkaTools.Server;

/// <summary>
/// Settings by environment variables, as the usual container images of Kafka map them: <c>KAFKA_ADVERTISED_LISTENERS</c> (Bitnami's:
/// <c>KAFKA_CFG_ADVERTISED_LISTENERS</c>) is <c>advertised.listeners</c>; <c>_</c> stands for a dot, <c>__</c> for an underscore and
/// <c>___</c> for a hyphen. Many other programs use variables of this prefix, so one that names no setting is warned of and ignored.
/// </summary>
internal static class ContainerEnvironment
{
    private const string Prefix = "KAFKA_";
    private const string BitnamiPrefix = "KAFKA_CFG_";

    /// <summary>What the images' own scripts and Java read.</summary>
    private static readonly string[] OfImages =
    [
        "KAFKA_HOME", "KAFKA_VERSION", "KAFKA_SCALA_VERSION", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_GC_LOG_OPTS", "KAFKA_LOG4J_", "KAFKA_TOOLS_LOG4J_",
        "KAFKA_JMX_", "KAFKA_CLUSTER_ID", "KAFKA_KRAFT_CLUSTER_ID", "KAFKA_ENABLE_KRAFT", "KAFKA_BASE_DIR", "KAFKA_VOLUME_DIR", "KAFKA_DATA_DIR", "KAFKA_CONF_DIR", "KAFKA_LOGS_DIR", "KAFKA_DEBUG",
    ];

    private static readonly string[] ClusterIds = ["KAFKA_KRAFT_CLUSTER_ID", "KAFKA_CLUSTER_ID", "CLUSTER_ID"];

    /// <summary>The settings that the variables give.</summary>
    /// <param name="environment">All variables of the process.</param>
    /// <param name="warn">Told, in one line, of those that name no setting.</param>
    public static Dictionary<string, string> Read(IEnumerable<KeyValuePair<string, string>> environment, Action<string> warn)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var unknown = new List<string>();
        // Bitnami's come after the plain ones of the same name, and count.
        foreach ((string variable, string value) in environment.Where(static v => v.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(static v => v.Key.StartsWith(BitnamiPrefix, StringComparison.Ordinal)).ThenBy(static v => v.Key, StringComparer.Ordinal))
        {
            bool bitnami = variable.StartsWith(BitnamiPrefix, StringComparison.Ordinal);
            if (!bitnami && OfImages.Any(own => variable == own || (own.EndsWith('_') && variable.StartsWith(own, StringComparison.Ordinal))))
            {
                continue;
            }
            string name = SettingOf(variable[(bitnami ? BitnamiPrefix.Length : Prefix.Length)..]);
            if (IsSetting(name))
            {
                settings[name] = value;
            }
            else
            {
                unknown.Add(variable);
            }
        }
        if (unknown.Count > 0)
        {
            warn($"{string.Join(", ", unknown)}: ignored, no setting of the broker is called so");
        }
        return settings;
    }

    /// <summary>The cluster id that a new data directory is to have; null where the environment says none.</summary>
    public static string? ClusterId(IReadOnlyDictionary<string, string> environment) =>
        ClusterIds.Select(name => environment.GetValueOrDefault(name)).FirstOrDefault(static id => !string.IsNullOrEmpty(id));

    private static string SettingOf(string variable) =>
        variable.ToLowerInvariant().Replace("___", "-", StringComparison.Ordinal).Replace("__", "\0", StringComparison.Ordinal).Replace('_', '.').Replace('\0', '_');

    private static bool IsSetting(string name) => BrokerSettings.IsKnown(name) || KafkaSettingNames.Contains(name)
        || name.StartsWith("zookeeper.", StringComparison.Ordinal)
        || name is "broker.id" or "host.name" or "port" or "advertised.host.name" or "advertised.port" or "authorizer.class.name" or "security.inter.broker.protocol"
            or "create.topic.policy.class.name" or "alter.config.policy.class.name";
}
