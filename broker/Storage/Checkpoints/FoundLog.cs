namespace LogPipeline.Storage.Checkpoints;

/// <summary>A partition's directory and what its name and partition.metadata say.</summary>
internal sealed record FoundLog(string Directory, string Topic, Guid TopicId, int Partition);
