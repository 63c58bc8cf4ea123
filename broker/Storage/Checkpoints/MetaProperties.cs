using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// Whose directory this is, and in which version it is kept: meta.properties.
/// <code>
/// version=2
/// cluster.id=22 characters
/// directory.id=22 characters
/// node=1
/// # one line for whom an earlier program sends here
/// </code>
/// Version 2 has a metadata log. Version 1, also Apache Kafka's, says node.id (version 0 broker.id) and has none of ours: the name of the
/// key changed with the version so that a program that knows version 1 only refuses the directory. That program says that the key is
/// missing in this file; the file says why.
/// </summary>
internal sealed class MetaProperties
{
    private const string FileName = "meta.properties";
    private const int CurrentVersion = 2;
    private const string Why = "# A program that finds no node.id or broker.id here is too old for this directory: start the newer one.";

    private readonly string _directoryId;

    private MetaProperties(int version, string clusterId, string directoryId, int nodeId) =>
        (Version, ClusterId, _directoryId, NodeId) = (version, clusterId, directoryId, nodeId);

    public int Version { get; }

    public string ClusterId { get; }

    public int NodeId { get; }

    /// <exception cref="InvalidDataException">The file is missing beside logs, damaged, of a newer version, or another node's.</exception>
    public static MetaProperties ReadOrMake(IFileSystem files, string directory, DataDirectoryOptions options, Random random)
    {
        string path = directory + "/" + FileName;
        Dictionary<string, string>? properties = Properties.Read(files, path);
        if (properties is null && HasLogs(files, directory))
        {
            throw new InvalidDataException(
                $"{path} is missing beside logs. Restore it, or write it with the lines version={CurrentVersion}, cluster.id=… and "
                + $"node={options.NodeId}: with another cluster id every log would be another log to those who read it.");
        }
        if (properties is null)
        {
            var made = new MetaProperties(
                CurrentVersion, options.ClusterId ?? Uuid.Format(Uuid.Next(random)), Uuid.Format(Uuid.Next(random)), options.NodeId);
            made.Write(files, directory);
            return made;
        }
        MetaProperties found = Parse(properties, path);
        return found.NodeId == options.NodeId && (options.ClusterId ?? found.ClusterId) == found.ClusterId
            ? found
            : throw new InvalidDataException(
                $"{path} belongs to node {found.NodeId} of cluster {found.ClusterId}, not to node {options.NodeId} of {options.ClusterId ?? found.ClusterId}.");
    }

    /// <summary>Makes the directory one of the current version, durably, before anything is written that earlier versions do not know.</summary>
    public void RaiseVersion(IFileSystem files, string directory)
    {
        if (Version < CurrentVersion)
        {
            Write(files, directory);
        }
    }

    /// <summary>Before version 2 a metadata log can only be Apache Kafka's.</summary>
    /// <exception cref="InvalidDataException">It is.</exception>
    public void RequireOwnMetadata(string metadataDirectory)
    {
        if (Version < CurrentVersion)
        {
            throw new InvalidDataException(
                $"{metadataDirectory} is the metadata log of an Apache Kafka broker. Move it away to serve the logs beside it from here.");
        }
    }

    private static MetaProperties Parse(Dictionary<string, string> properties, string path)
    {
        long version = properties.ContainsKey("version") ? Properties.Number(properties, "version", path) : 1;
        if (version > CurrentVersion)
        {
            throw new InvalidDataException(
                $"{path} is of version {version}, and this program knows versions up to {CurrentVersion}: start the program that wrote it.");
        }
        string nodeKey = version == CurrentVersion ? "node" : properties.ContainsKey("node.id") ? "node.id" : "broker.id";
        string clusterId = properties.GetValueOrDefault("cluster.id") ?? throw new InvalidDataException($"{path} has no cluster.id.");
        return new MetaProperties(
            (int)version, clusterId, properties.GetValueOrDefault("directory.id") ?? "", (int)Properties.Number(properties, nodeKey, path));
    }

    private void Write(IFileSystem files, string directory) => Properties.Write(
        files,
        directory + "/" + FileName,
        $"version={CurrentVersion}",
        $"cluster.id={ClusterId}",
        $"directory.id={_directoryId}",
        $"node={NodeId}",
        Why);

    private static bool HasLogs(IFileSystem files, string directory) => files.FileExists(directory + "/" + BrokerCheckpoint.FileName)
        || files.List(directory).Any(entry => entry.IsDirectory
            && LogDirectories.TryParse(entry.Name, out _, out _)
            && LogDirectories.HasSegment(files.List(directory + "/" + entry.Name)));
}
