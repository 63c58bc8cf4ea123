using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// Whose directory this is: meta.properties as Kafka's KRaft brokers write it.
/// <code>
/// version=1
/// cluster.id=22 characters
/// directory.id=22 characters
/// node.id=1
/// </code>
/// </summary>
internal sealed record MetaProperties(string ClusterId, int NodeId)
{
    private const string FileName = "meta.properties";

    public static MetaProperties ReadOrMake(IFileSystem files, string directory, DataDirectoryOptions options, Random random)
    {
        string path = directory + "/" + FileName;
        Dictionary<string, string>? properties = Properties.Read(files, path);
        if (properties is null && HasLogs(files, directory))
        {
            throw new InvalidDataException(
                $"{path} is missing beside logs. Restore it, or write it with the lines version=1, cluster.id=… and node.id={options.NodeId}: "
                + "with another cluster id every log would be another log to those who read it.");
        }
        if (properties is null)
        {
            string made = options.ClusterId ?? Uuid.Format(Uuid.Next(random));
            Properties.Write(
                files, path, "version=1", $"cluster.id={made}", $"directory.id={Uuid.Format(Uuid.Next(random))}", $"node.id={options.NodeId}");
            return new MetaProperties(made, options.NodeId);
        }
        string cluster = properties.GetValueOrDefault("cluster.id")
            ?? throw new InvalidDataException($"{path} has no cluster.id.");
        int node = (int)Properties.Number(properties, properties.ContainsKey("node.id") ? "node.id" : "broker.id", path);
        if (node != options.NodeId || (options.ClusterId is { } wanted && wanted != cluster))
        {
            throw new InvalidDataException(
                $"{path} belongs to node {node} of cluster {cluster}, not to node {options.NodeId} of {options.ClusterId ?? cluster}.");
        }
        return new MetaProperties(cluster, node);
    }

    private static bool HasLogs(IFileSystem files, string directory) => files.FileExists(directory + "/" + BrokerCheckpoint.FileName)
        || files.List(directory).Any(entry => entry.IsDirectory
            && LogDirectories.TryParse(entry.Name, out _, out _)
            && LogDirectories.HasSegment(files.List(directory + "/" + entry.Name)));
}
