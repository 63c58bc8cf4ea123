namespace LogPipeline.Client.Admin;

/// <summary>A topic to create.</summary>
/// <param name="Name">Letters, digits, dot, underscore, hyphen; up to 249.</param>
/// <param name="Partitions">-1: the broker's default.</param>
/// <param name="ReplicationFactor">-1: the broker's default.</param>
/// <param name="Configs">Topic settings by their names.</param>
public sealed record NewTopic(string Name, int Partitions = -1, short ReplicationFactor = -1, IReadOnlyList<KeyValuePair<string, string>>? Configs = null);
