namespace LogPipeline.Client.Admin;

/// <summary>One setting.</summary>
public sealed record ConfigEntry(string Name, string? Value, bool IsReadOnly, bool IsDefault, bool IsSensitive)
{
    /// <summary>Where the value in force comes from.</summary>
    public ConfigSource Source { get; init; }

    /// <summary>Every value that it has somewhere, the one in force first; empty on brokers older than Apache Kafka 1.1.</summary>
    public IReadOnlyList<ConfigValue> Values { get; init; } = [];
}

/// <summary>One of several values that a setting has.</summary>
/// <param name="Name">The setting that has it: of a topic's setting it may be the broker's.</param>
/// <param name="Value">The value; null when it is a secret.</param>
/// <param name="Source">Where it was given.</param>
public readonly record struct ConfigValue(string Name, string? Value, ConfigSource Source);

/// <summary>Where the value of a setting was given, by the protocol's numbers.</summary>
public enum ConfigSource
{
    Unknown = 0,
    Topic = 1,
    Broker = 2,
    AllBrokers = 3,
    BrokersFile = 4,
    Default = 5,
}
