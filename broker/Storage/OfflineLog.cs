namespace LogPipeline.Storage;

/// <summary>A partition's log that should be here and could not be opened. What is there of it was left as it was.</summary>
/// <param name="Topic">Its topic's name.</param>
/// <param name="TopicId">Its topic's id; empty where nothing says it.</param>
/// <param name="Partition">Its number.</param>
/// <param name="Directory">Where it lies; null when nothing of it is there.</param>
/// <param name="Reason">One line that names the file and says what is wrong with it.</param>
public sealed record OfflineLog(string Topic, Guid TopicId, int Partition, string? Directory, string Reason);
