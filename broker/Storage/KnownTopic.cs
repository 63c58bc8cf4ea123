namespace LogPipeline.Storage;

/// <summary>What the broker's registry says of a topic before its logs are opened.</summary>
/// <param name="Id">The topic's id.</param>
/// <param name="Partitions">How many partitions it has, numbered from 0.</param>
/// <param name="IsGone">A crash cut its creation or its deletion short: what is there of it is removed.</param>
public sealed record KnownTopic(Guid Id, int Partitions, bool IsGone);
