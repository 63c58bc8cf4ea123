namespace LogPipeline.Client.Admin;

/// <summary>A group in a listing.</summary>
/// <param name="GroupId">Its name.</param>
/// <param name="ProtocolType"><c>consumer</c> for consumer groups; empty where offsets were committed without members.</param>
/// <param name="State">As in <see cref="GroupDescription"/>; empty on brokers older than Apache Kafka 2.6.</param>
/// <param name="Type">Which protocol its members speak, <c>classic</c> or <c>consumer</c>; empty on brokers older than Apache Kafka 3.7.</param>
public sealed record GroupListing(string GroupId, string ProtocolType, string State, string Type);
