using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// One offset of each log that outlives restarts, in one of Kafka's checkpoints; it stays as long as its log, whether the log can be
/// opened or not. The data directory's lock guards it.
/// </summary>
/// <remarks>
/// <para>log-start-offset-checkpoint: where a log begins whose first records were removed. A start is durable here before anyone is told
/// of it and before a file below it is deleted. A power cut may then take back any of the deletions, in any order, and the start says
/// which segments go again.</para>
/// <para>cleaner-offset-checkpoint: below this offset compaction has left records out, so offsets may be missing there.</para>
/// </remarks>
internal sealed class LogOffsets
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly string _name;
    private Dictionary<(string Topic, int Partition), long> _offsets;

    private LogOffsets(IFileSystem files, string directory, string name, Dictionary<(string Topic, int Partition), long> offsets) =>
        (_files, _directory, _name, _offsets) = (files, directory, name, offsets);

    /// <summary>Reads them. The process before may have died before the file's name was durable, and segments will be deleted by it.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static LogOffsets Read(IFileSystem files, string directory, string name)
    {
        files.FlushDirectory(directory);
        return new LogOffsets(files, directory, name, OffsetCheckpoint.Read(files, directory, name));
    }

    /// <summary>The offset of a log; 0 when there is none.</summary>
    public long Of(string topic, int partition) => _offsets.GetValueOrDefault((topic, partition));

    /// <summary>Sets offsets, all in one replacement of the file; durable on return.</summary>
    /// <exception cref="IOException">The disk refused: the old offsets stay.</exception>
    public void Set(IReadOnlyCollection<(PartitionLog Log, long Offset)> offsets)
    {
        var changed = new Dictionary<(string Topic, int Partition), long>(_offsets);
        foreach ((PartitionLog log, long offset) in offsets)
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
            _name,
            offsets.OrderBy(static start => start.Key.Topic, StringComparer.Ordinal)
                .ThenBy(static start => start.Key.Partition)
                .Select(static start => (start.Key.Topic, start.Key.Partition, start.Value)));
        _offsets = offsets;
    }
}
