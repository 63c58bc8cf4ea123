namespace LogPipeline.Client.Admin;

/// <summary>A group with its members.</summary>
/// <param name="GroupId">Its name.</param>
/// <param name="State">Empty, PreparingRebalance, CompletingRebalance, Stable or Dead.</param>
/// <param name="ProtocolType"><c>consumer</c> for consumer groups.</param>
/// <param name="Protocol">The assignor in use.</param>
/// <param name="Members">In the broker's order.</param>
public sealed record GroupDescription(string GroupId, string State, string ProtocolType, string Protocol, IReadOnlyList<MemberDescription> Members);

/// <summary>A member of a group.</summary>
public sealed record MemberDescription(string MemberId, string? InstanceId, string ClientId, string ClientHost, IReadOnlyList<TopicPartition> Assignment);
