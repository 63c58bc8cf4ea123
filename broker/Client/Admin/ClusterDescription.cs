using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Admin;

/// <summary>The cluster.</summary>
public sealed record ClusterDescription(string ClusterId, int ControllerId, IReadOnlyList<BrokerNode> Brokers);
