namespace LogPipeline.Storage;

/// <summary>What a data directory needs to know when it is opened.</summary>
public sealed record DataDirectoryOptions
{
    /// <summary>This node's id; must be the directory's when it was used before.</summary>
    public int NodeId { get; init; } = 1;

    /// <summary>22 characters of base64url; null takes the directory's, or makes one for an empty directory.</summary>
    public string? ClusterId { get; init; }

    /// <summary>Bytes that clients' batches leave free on the disk; 0 leaves none.</summary>
    public long ReservedBytes { get; init; } = 4 << 20;

    /// <summary>
    /// The topics that should be there, by name; asked once, before any of their logs is looked for, and given the metadata log, null where
    /// there is none yet. A log of a topic that is not named is opened all the same.
    /// </summary>
    public Func<PartitionLog?, IReadOnlyDictionary<string, KnownTopic>> Topics { get; init; } = static _ => new Dictionary<string, KnownTopic>();

    /// <summary>How the metadata log is kept.</summary>
    public PartitionLogOptions MetadataLog { get; init; } = new();

    /// <summary>The options of a topic's logs, asked for each log found at start.</summary>
    public Func<string, PartitionLogOptions> OptionsOf { get; init; } = static _ => new PartitionLogOptions();

    /// <summary>Bytes that the commit journal takes on the disk once it was full; it has four files.</summary>
    public long JournalBytes { get; init; } = 128L << 20;

    /// <summary>The largest batch that becomes durable by the commit journal; larger ones by a sync of their segment.</summary>
    public int JournalAppendBytesMax { get; init; } = 64 << 10;

    /// <summary>Told of an exception that no caller can take; the process should stop with it.</summary>
    public Action<Exception> OnFatal { get; init; } = static e => Environment.FailFast("A log's flush loop died.", e);
}
