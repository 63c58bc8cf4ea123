using LogPipeline.Protocol;

namespace LogPipeline.Broker.Fetching;

/// <summary>What clients of a version of Fetch know, and what they expect of an answer.</summary>
/// <param name="Number">The version.</param>
internal readonly record struct FetchVersion(short Number)
{
    /// <summary>The only message format that the client knows; null when it knows format 2.</summary>
    public sbyte? OldFormat => Number <= 1 ? 0 : Number <= 3 ? 1 : null;

    /// <summary>Whether records are converted for it before they are sent.</summary>
    public bool IsConverted => OldFormat is not null;

    /// <summary>Whether it limits the whole answer. If not, it expects something of every partition.</summary>
    public bool LimitsAll => Number >= 3;

    /// <summary>Whether it names topics by id.</summary>
    public bool HasTopicIds => Number >= 13;

    /// <summary>Whether it may be sent batches in this codec.</summary>
    public bool KnowsZstd => Number >= 10;

    /// <summary>The error as the client understands it: older ones may take KafkaStorageError for one that does not pass.</summary>
    public ErrorCode Told(ErrorCode error) => error == ErrorCode.KafkaStorageError && Number < 6 ? ErrorCode.NotLeaderOrFollower : error;
}
