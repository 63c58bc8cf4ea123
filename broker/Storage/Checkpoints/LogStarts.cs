using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// Where each log begins whose first records were removed: Kafka's log-start-offset-checkpoint. A start is durable here before anyone
/// is told of it and before a file below it is deleted. It then stays as long as its log, whether the log can be opened or not: a
/// power cut may take back any of the deletions, in any order, and the start says which segments go again. The data directory's lock
/// guards it.
/// </summary>
internal sealed class LogStarts
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private Dictionary<(string Topic, int Partition), long> _offsets;

    private LogStarts(IFileSystem files, string directory, Dictionary<(string Topic, int Partition), long> offsets) =>
        (_files, _directory, _offsets) = (files, directory, offsets);

    /// <summary>Reads them. The process before may have died before the file's name was durable, and segments will be deleted by it.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static LogStarts Read(IFileSystem files, string directory)
    {
        files.FlushDirectory(directory);
        return new LogStarts(files, directory, OffsetCheckpoint.Read(files, directory, OffsetCheckpoint.LogStartOffset));
    }

    /// <summary>The first offset of a log that counts; 0 when nothing was ever removed.</summary>
    public long Of(string topic, int partition) => _offsets.GetValueOrDefault((topic, partition));

    /// <summary>Sets starts, all in one replacement of the file; durable on return.</summary>
    /// <exception cref="IOException">The disk refused: the old starts stay.</exception>
    public void Set(IReadOnlyCollection<(PartitionLog Log, long Offset)> starts)
    {
        var changed = new Dictionary<(string Topic, int Partition), long>(_offsets);
        foreach ((PartitionLog log, long offset) in starts)
        {
            changed[(log.Topic, log.Partition)] = offset;
        }
        Write(changed);
    }

    /// <summary>Forgets logs that are gone for good: another log may be made in the place of one.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void KeepOnly(Func<(string Topic, int Partition), bool> isThere)
    {
        if (!_offsets.Keys.All(isThere))
        {
            Write(_offsets.Where(start => isThere(start.Key)).ToDictionary());
        }
    }

    private void Write(Dictionary<(string Topic, int Partition), long> offsets)
    {
        OffsetCheckpoint.Write(
            _files,
            _directory,
            OffsetCheckpoint.LogStartOffset,
            offsets.OrderBy(static start => start.Key.Topic, StringComparer.Ordinal)
                .ThenBy(static start => start.Key.Partition)
                .Select(static start => (start.Key.Topic, start.Key.Partition, start.Value)));
        _offsets = offsets;
    }
}
