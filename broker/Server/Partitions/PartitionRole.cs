namespace LogPipeline.Broker.Partitions;

/// <summary>What this broker is for a partition.</summary>
internal enum PartitionRole
{
    /// <summary>It takes what producers send and answers consumers.</summary>
    Leader,

    /// <summary>It copies the leader's log and refers clients to the leader.</summary>
    Follower,

    /// <summary>Its log could not be opened: nothing can be read or written here.</summary>
    Offline,
}
