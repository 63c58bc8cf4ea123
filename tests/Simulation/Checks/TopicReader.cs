using System.Globalization;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Checks;

/// <summary>Reads a partition's batches from the segment files themselves: no index, no code of the storage room.</summary>
internal static class TopicReader
{
    /// <summary>Whole batches with a right CRC, in file order; ends at the first that is not.</summary>
    public static List<StoredBatch> Read(MemoryDisk disk, string data, string topic, int partition)
    {
        var files = new MemoryFileSystem(disk);
        string directory = string.Create(CultureInfo.InvariantCulture, $"{data}/{topic}-{partition}");
        var batches = new List<StoredBatch>();
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (!entry.Name.EndsWith(".log", StringComparison.Ordinal))
            {
                continue;
            }
            using IFile file = files.Open($"{directory}/{entry.Name}", FileOpenMode.Read);
            batches.AddRange(Read(file));
        }
        return batches;
    }

    /// <summary>The id of the topic whose partition the directory holds; empty when there is none, or a crash cut its creation short.</summary>
    public static Guid TopicIdOf(MemoryDisk disk, string data, string topic, int partition)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"{data}/{topic}-{partition}/partition.metadata");
        Dictionary<string, string>? properties = Properties.Read(new MemoryFileSystem(disk), path);
        return properties?.TryGetValue("topic_id", out string? id) == true ? Uuid.Parse(id, path) : Guid.Empty;
    }

    /// <summary>The batches of one segment.</summary>
    public static List<StoredBatch> Read(IFile file)
    {
        var batches = new List<StoredBatch>();
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        for (int at = 0; BatchHeader.TryParse(bytes.AsSpan(at), out BatchHeader header);)
        {
            if (header.SizeInBytes > bytes.Length - at || !RecordBatch.CrcIsValid(bytes.AsSpan(at, header.SizeInBytes)))
            {
                break;
            }
            batches.Add(new StoredBatch(header, bytes.AsMemory(at, header.SizeInBytes)));
            at += header.SizeInBytes;
        }
        return batches;
    }
}

/// <summary>A batch as the broker's disk has it.</summary>
internal readonly record struct StoredBatch(BatchHeader Header, ReadOnlyMemory<byte> Bytes);
