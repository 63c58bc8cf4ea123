namespace LogPipeline.Storage;

/// <summary>A log that could not be opened: its directory is left as it is, and its partition serves nothing until it is mended.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="TopicId">The topic's id.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="Reason">One line: which file, what is wrong with it, what to do.</param>
public sealed record OfflineLog(string Topic, Guid TopicId, int Partition, string Reason);
