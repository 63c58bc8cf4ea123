using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Client.Admin;

/// <summary>A topic to create.</summary>
/// <param name="Name">Letters, digits, dot, underscore, hyphen; up to 249.</param>
/// <param name="Partitions">-1: the broker's default.</param>
/// <param name="ReplicationFactor">-1: the broker's default.</param>
/// <param name="Configs">Topic settings by their names.</param>
public sealed record NewTopic(string Name, int Partitions = -1, short ReplicationFactor = -1, IReadOnlyList<KeyValuePair<string, string>>? Configs = null);

/// <summary>The cluster.</summary>
public sealed record ClusterDescription(string ClusterId, int ControllerId, IReadOnlyList<BrokerNode> Brokers);

/// <summary>A group in a listing.</summary>
/// <param name="GroupId">Its name.</param>
/// <param name="ProtocolType"><c>consumer</c> for consumer groups; empty where offsets were committed without members.</param>
/// <param name="State">As in <see cref="GroupDescription"/>; empty on brokers older than Apache Kafka 2.6.</param>
/// <param name="Type">Which protocol its members speak, <c>classic</c> or <c>consumer</c>; empty on brokers older than Apache Kafka 3.7.</param>
public sealed record GroupListing(string GroupId, string ProtocolType, string State, string Type);

/// <summary>A group with its members.</summary>
/// <param name="GroupId">Its name.</param>
/// <param name="State">Empty, PreparingRebalance, CompletingRebalance, Stable or Dead.</param>
/// <param name="ProtocolType"><c>consumer</c> for consumer groups.</param>
/// <param name="Protocol">The assignor in use.</param>
/// <param name="Members">In the broker's order.</param>
public sealed record GroupDescription(string GroupId, string State, string ProtocolType, string Protocol, IReadOnlyList<MemberDescription> Members);

/// <summary>A member of a group.</summary>
public sealed record MemberDescription(string MemberId, string? InstanceId, string ClientId, string ClientHost, IReadOnlyList<TopicPartition> Assignment);

/// <summary>What configurations belong to.</summary>
public enum ConfigResourceType
{
    Topic = 2,
    Broker = 4,
}

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

/// <summary>A setting to change.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its new value; null inherits it again.</param>
public readonly record struct ConfigChange(string Name, string? Value);

/// <summary>What became of one of several things asked for.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Error">None, or why it was not done.</param>
/// <param name="Message">The broker's words: the reason, or a remark on what was done; null when it says nothing.</param>
public readonly record struct Outcome(string Name, ErrorCode Error, string? Message);
