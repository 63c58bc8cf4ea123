using LogPipeline.Files;
using LogPipeline.Files.Journals;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Journals;

namespace LogPipeline.Storage.Verification;

/// <summary>
/// Checks a whole data directory that no broker uses, and changes nothing in it: every batch and record, every index, snapshot and
/// checkpoint, and what the commit journal still has to give. It holds the directory's lock meanwhile.
/// </summary>
/// <example><code>
/// using var check = DirectoryCheck.Open(files, path);
/// foreach (LogFault fault in check.Faults()) { … } // the first one is enough to know
/// </code></example>
public sealed class DirectoryCheck : IDisposable
{
    private readonly IFileSystem _files;
    private readonly string _path;
    private readonly IDisposable _lock;
    private readonly List<FoundLog> _logs = [];

    private DirectoryCheck(IFileSystem files, string path, IDisposable held) => (_files, _path, _lock) = (files, path, held);

    /// <summary>How much was read, while <see cref="Faults"/> is walked and afterwards.</summary>
    public CheckTotals Totals { get; } = new();

    /// <exception cref="DirectoryLockedException">A broker uses the directory.</exception>
    /// <exception cref="InvalidDataException">This is no data directory.</exception>
    public static DirectoryCheck Open(IFileSystem files, string path)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (!files.FileExists(path + "/meta.properties"))
        {
            throw new InvalidDataException($"{path} is no data directory of a broker: it has no meta.properties.");
        }
        var check = new DirectoryCheck(files, path, files.Lock(path + "/.lock"));
        check.Find();
        return check;
    }

    /// <summary>What is wrong, as it is found. To be walked once, by one thread.</summary>
    /// <param name="progress">Called after each batch.</param>
    public IEnumerable<LogFault> Faults(Action? progress = null)
    {
        bool wasClean = CleanShutdownFile.Exists(_files, _path);
        List<LogFault> clean = Checkpoint(OffsetCheckpoint.CleanOffset, out Dictionary<(string, int), long> cleanOffsets);
        foreach (LogFault fault in Identity().Concat(clean))
        {
            yield return fault;
        }
        var ends = new Dictionary<(string, int), long>();
        foreach (FoundLog log in _logs)
        {
            var check = new LogCheck(_files, log.Directory, cleanOffsets.GetValueOrDefault((log.Topic, log.Partition)), wasClean, Totals, progress ?? (static () => { }));
            foreach (LogFault fault in check.Run())
            {
                yield return fault;
            }
            ends[(log.Topic, log.Partition)] = check.EndOffset;
            Totals.Partitions++;
        }
        foreach (LogFault fault in Journal())
        {
            yield return fault;
        }
        // What the journal has is missing in the segments until the next start: ends can be held against checkpoints after a clean stop only.
        string[] names = [OffsetCheckpoint.LogStartOffset, OffsetCheckpoint.RecoveryPoint, OffsetCheckpoint.HighWatermark];
        foreach (string name in names)
        {
            List<LogFault> unreadable = Checkpoint(name, out Dictionary<(string Topic, int Partition), long> offsets);
            foreach (LogFault fault in unreadable)
            {
                yield return fault;
            }
            foreach (((string topic, int partition), long offset) in offsets)
            {
                if (wasClean && ends.TryGetValue((topic, partition), out long end) && offset > end)
                {
                    yield return new LogFault($"{_path}/{name}", 0, offset, $"{topic}-{partition} ends at offset {end} already");
                }
            }
        }
    }

    public void Dispose() => _lock.Dispose();

    private void Find()
    {
        foreach (DirectoryEntry entry in _files.List(_path).Where(static entry => entry.IsDirectory && !LogDirectories.LooksDoomed(entry.Name)))
        {
            string directory = $"{_path}/{entry.Name}";
            if (!LogDirectories.TryParse(entry.Name, out string topic, out int partition) || !LogDirectories.HasSegment(_files.List(directory)))
            {
                continue;
            }
            _logs.Add(new FoundLog(directory, topic, LogDirectories.TopicIdOf(_files, directory, out _) ?? Guid.Empty, partition));
            Totals.BytesInAll += _files.List(directory).Where(static file => file.Name.EndsWith(".log", StringComparison.Ordinal))
                .Sum(file => _files.Stat($"{directory}/{file.Name}")?.Length ?? 0);
        }
    }

    private List<LogFault> Identity()
    {
        var faults = new List<LogFault>();
        Try($"{_path}/meta.properties", faults, path =>
        {
            if (Properties.Read(_files, path) is { } properties && !properties.ContainsKey("cluster.id"))
            {
                throw new InvalidDataException("it has no cluster.id.");
            }
        });
        Try($"{_path}/{BrokerCheckpoint.FileName}", faults, path =>
        {
            if (Properties.Read(_files, path) is { } properties)
            {
                Properties.Number(properties, "leader.epoch", path);
                Properties.Number(properties, "producer.id.end", path);
            }
        });
        return faults;
    }

    private List<LogFault> Checkpoint(string name, out Dictionary<(string Topic, int Partition), long> offsets)
    {
        var faults = new List<LogFault>();
        Dictionary<(string, int), long> read = [];
        Try($"{_path}/{name}", faults, _ => read = OffsetCheckpoint.Read(_files, _path, name));
        offsets = read;
        return faults;
    }

    // By the same rule as a start: bytes that cannot be read matter where they hold what no segment has.
    private List<LogFault> Journal()
    {
        var faults = new List<LogFault>();
        string directory = CommitJournal.DirectoryOf(_path);
        try
        {
            using JournalReader reader = JournalReader.Open(_files, directory, Crc32C.Compute);
            new JournalDamageCheck(_files, reader, _logs).RequireNothingLost();
        }
        catch (CorruptJournalException e)
        {
            faults.Add(new LogFault(e.DamagedFile, e.Position, null, e.Message));
        }
        catch (InvalidDataException e)
        {
            faults.Add(new LogFault(directory, 0, null, e.Message));
        }
        return faults;
    }

    private static void Try(string path, List<LogFault> faults, Action<string> read)
    {
        try
        {
            read(path);
        }
        catch (InvalidDataException e)
        {
            faults.Add(new LogFault(path, 0, null, e.Message));
        }
    }
}
