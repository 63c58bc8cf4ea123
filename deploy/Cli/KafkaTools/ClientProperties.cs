using LogPipeline.Client;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>Kafka's names of the settings that all clients have, as far as ours has what they mean.</summary>
internal static class ClientProperties
{
    private static readonly Dictionary<string, Func<ClientOptions, string, string, ClientOptions>> Known = new(StringComparer.Ordinal)
    {
        ["client.id"] = static (options, _, value) => options with { ClientId = value },
        ["request.timeout.ms"] = static (options, name, value) => options with { RequestTimeout = PropertyValue.Timeout(name, value) },
        ["default.api.timeout.ms"] = static (options, name, value) => options with { LookupTimeout = PropertyValue.Timeout(name, value) },
        ["max.block.ms"] = static (options, name, value) => options with { LookupTimeout = PropertyValue.Timeout(name, value) },
        ["socket.connection.setup.timeout.ms"] = static (options, name, value) => options with { ConnectTimeout = PropertyValue.Timeout(name, value) },
        ["retry.backoff.ms"] = static (options, name, value) => WithDelay(options, PropertyValue.Timeout(name, value)),
        ["metadata.max.age.ms"] = static (options, name, value) => options with { MetadataMaxAge = PropertyValue.Timeout(name, value) },
        ["bootstrap.servers"] = static (options, _, _) => options, // ClusterOptions reads these two
        ["security.protocol"] = static (options, _, _) => options,
    };

    /// <summary>What is said of settings that are Kafka's and change nothing here.</summary>
    private static readonly Dictionary<string, string> WithoutEffect = new(StringComparer.Ordinal)
    {
        ["retries"] = "a request is tried again until its time is over",
        ["send.buffer.bytes"] = "the system decides",
        ["receive.buffer.bytes"] = "the system decides",
        ["key.serializer"] = "lines are sent as their bytes",
        ["value.serializer"] = "lines are sent as their bytes",
    };

    /// <summary>The options with what the properties say; properties of other parts of a client are passed over.</summary>
    /// <exception cref="KafkaToolException">A value cannot be.</exception>
    public static ClientOptions Apply(ClientOptions options, IReadOnlyDictionary<string, string> properties)
    {
        foreach ((string name, string value) in properties)
        {
            options = Known.TryGetValue(name, out Func<ClientOptions, string, string, ClientOptions>? apply) ? apply(options, name, value) : options;
        }
        return options;
    }

    /// <summary>Warns of the properties that neither all clients have nor this tool reads.</summary>
    public static void WarnOfOthers(IEnumerable<string> names, IReadOnlyCollection<string> read)
    {
        foreach (string name in names.Where(name => !Known.ContainsKey(name) && !read.Contains(name)).Order(StringComparer.Ordinal))
        {
            Console.Error.WriteLine(WithoutEffect.TryGetValue(name, out string? why)
                ? $"WARN the configuration {name} has no effect here: {why}"
                : $"WARN the configuration {name} is unknown here and ignored");
        }
    }

    private static ClientOptions WithDelay(ClientOptions options, TimeSpan delay) =>
        options with { RetryDelay = delay, RetryDelayMax = delay > options.RetryDelayMax ? delay : options.RetryDelayMax };
}
