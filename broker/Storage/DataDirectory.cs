using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Recovery;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>
/// One directory with partition logs, locked by this process; laid out as Apache Kafka's log.dirs entry. It owns the lock, the
/// identity (meta.properties), what outlives restarts (broker.checkpoint: leader epoch, producer ids) and the mark of a clean stop.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    private readonly Lock _gate = new(); // guards the list of logs
    private readonly string _path;
    private readonly LogPlace _place; // of any log, but for the log's own names
    private readonly IDisposable _lock;
    private readonly BrokerCheckpoint _checkpoint;
    private PartitionLog[] _logs = []; // replaced whole

    private DataDirectory(string path, LogPlace place, IDisposable held, MetaProperties identity, BrokerCheckpoint checkpoint)
    {
        _path = path;
        _place = place;
        _lock = held;
        _checkpoint = checkpoint;
        ClusterId = identity.ClusterId;
        NodeId = identity.NodeId;
    }

    public string ClusterId { get; }

    public int NodeId { get; }

    /// <summary>Rises durably at each start: the epoch in which this process leads its partitions.</summary>
    public int LeaderEpoch => _checkpoint.LeaderEpoch;

    /// <summary>The open logs, by topic and partition in ordinal order. A snapshot.</summary>
    public IReadOnlyList<PartitionLog> Logs => Volatile.Read(ref _logs);

    /// <summary>The logs that are there and could not be opened.</summary>
    public IReadOnlyList<OfflineLog> OfflineLogs { get; } = [];

    private IFileSystem Files => _place.Files;

    /// <summary>Locks the directory, makes it if need be, and opens the logs in it; recovers them after a crash.</summary>
    /// <exception cref="DirectoryLockedException">Another process has it.</exception>
    /// <exception cref="CorruptLogException">A log is damaged beyond a torn tail.</exception>
    /// <exception cref="InvalidDataException">The directory belongs to another node or cluster, or a small file in it is damaged.</exception>
    public static DataDirectory Open(
        IFileSystem files, string path, DataDirectoryOptions options, TimeProvider time, Random random, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(options);
        files.CreateDirectory(path);
        IDisposable held = files.Lock(path + "/.lock");
        DataDirectory? directory = null;
        try
        {
            MetaProperties identity = MetaProperties.ReadOrMake(files, path, options, random);
            bool wasClean = CleanShutdownFile.Remove(files, path);
            List<FoundLog> found = LogDirectories.Find(files, path, random);
            BrokerCheckpoint checkpoint = BrokerCheckpoint.NextLife(files, path, found);
            var place = new LogPlace(path, "", Guid.Empty, 0)
            {
                Files = files,
                Time = time,
                Logger = logger,
                OnFatal = options.OnFatal,
            };
            directory = new DataDirectory(path, place, held, identity, checkpoint);
            directory.OpenLogs(found, options);
            Log.Opened(logger, path, found.Count, checkpoint.LeaderEpoch, wasClean ? "clean" : "a crash, or there was none");
            return directory;
        }
        catch
        {
            directory?.AbandonLogs();
            held.Dispose();
            throw;
        }
    }

    /// <summary>Makes a log; its name is durable on return.</summary>
    /// <exception cref="IOException">It is there already, or the disk refused.</exception>
    public PartitionLog Create(string topic, Guid topicId, int partition, PartitionLogOptions options)
    {
        lock (_gate)
        {
            string directory = LogDirectories.PathOf(_path, topic, partition);
            if (Files.DirectoryExists(directory))
            {
                throw new IOException($"{directory} is there already.");
            }
            try
            {
                LogDirectories.Make(Files, directory, topicId);
                PartitionLog made = OpenLog(new FoundLog(directory, topic, topicId, partition), options, 0);
                SetLogs([.. _logs, made]);
                return made;
            }
            catch (IOException)
            {
                // A full disk must not leave half a log that a later try trips over.
                Files.DeleteDirectory(directory);
                throw;
            }
        }
    }

    /// <summary>
    /// Removes a log, durably gone on return. Slices of it stay readable. Where the disk refused half way, a second call goes on.
    /// </summary>
    /// <exception cref="IOException">The disk refused; the log takes nothing any more all the same.</exception>
    public void Delete(PartitionLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        lock (_gate)
        {
            log.Retire();
            string doomed = LogDirectories.DoomedPathOf(_path, log.Topic, log.TopicId, log.Partition);
            if (Array.IndexOf(_logs, log) >= 0 && Files.DirectoryExists(log.Directory))
            {
                Files.Rename(log.Directory, doomed);
            }
            Files.FlushDirectory(_path);
            SetLogs([.. _logs.Where(other => other != log)]);
            Files.DeleteDirectory(doomed);
            WriteCheckpoints(); // its start offset must not become that of a log made in its place
        }
    }

    /// <summary>Raises a log's start, durably on return, and removes the segments that lie wholly below it.</summary>
    /// <param name="log">One of <see cref="Logs"/>.</param>
    /// <param name="offset">The first offset kept; beyond the durable end means up to it.</param>
    public void DeleteRecords(PartitionLog log, long offset)
    {
        ArgumentNullException.ThrowIfNull(log);
        lock (_gate)
        {
            log.RaiseStart(offset);
            WriteCheckpoints();
            log.DeleteBelowStart();
        }
    }

    /// <summary>A producer id never given out before, over all lives of this directory.</summary>
    public long NextProducerId() => _checkpoint.NextProducerId();

    /// <summary>Flushes all logs and leaves the mark of a clean stop; a disk that refuses makes it a stop like a crash. Appends after it fail.</summary>
    public async Task CloseAsync()
    {
        foreach (PartitionLog log in Logs)
        {
            await log.CloseAsync();
        }
        try
        {
            lock (_gate)
            {
                WriteCheckpoints();
            }
            if (Logs.All(static log => log.StoppedClean))
            {
                CleanShutdownFile.Write(Files, _path, LeaderEpoch);
            }
        }
        catch (IOException e)
        {
            Log.CheckpointRefused(_place.Logger, _path, e);
        }
        _lock.Dispose();
    }

    /// <summary>Lets go of the files and the lock without flushing, as a crash would.</summary>
    public void Dispose()
    {
        AbandonLogs();
        _lock.Dispose();
    }

    private void OpenLogs(List<FoundLog> found, DataDirectoryOptions options)
    {
        Dictionary<(string, int), long> starts = OffsetCheckpoint.Read(Files, _path, OffsetCheckpoint.LogStartOffset);
        var logs = new List<PartitionLog>(found.Count);
        foreach (FoundLog one in found)
        {
            logs.Add(OpenLog(one, options.OptionsOf(one.Topic), starts.GetValueOrDefault((one.Topic, one.Partition))));
            _logs = [.. logs];
        }
        SetLogs(logs);
        if (starts.Keys.Any(start => !found.Exists(one => (one.Topic, one.Partition) == start)))
        {
            WriteCheckpoints(); // of a log whose removal a crash cut short
        }
    }

    private PartitionLog OpenLog(FoundLog found, PartitionLogOptions options, long startOffset)
    {
        LogPlace place = _place with
        {
            Directory = found.Directory,
            Topic = found.Topic,
            TopicId = found.TopicId,
            Partition = found.Partition,
        };
        long now = place.Time.GetUtcNow().ToUnixTimeMilliseconds();
        LogState state = new LogRecovery(Files, found.Directory, options, LeaderEpoch, now).Run(startOffset);
        if (state.CutBytes > 0)
        {
            Log.CutTornTail(place.Logger, $"{found.Topic}-{found.Partition}", state.CutBytes, state.EndOffset);
        }
        _checkpoint.Skip(state.Producers);
        return new PartitionLog(place, state, options, startOffset);
    }

    private void SetLogs(IEnumerable<PartitionLog> logs) => Volatile.Write(
        ref _logs, [.. logs.OrderBy(static log => log.Topic, StringComparer.Ordinal).ThenBy(static log => log.Partition)]);

    // For Kafka's own tools and for the start offsets; recovery itself goes by each log's snapshots.
    private void WriteCheckpoints()
    {
        OffsetCheckpoint.Write(Files, _path, OffsetCheckpoint.RecoveryPoint, _logs, static log => log.SnapshotOffset);
        OffsetCheckpoint.Write(Files, _path, OffsetCheckpoint.HighWatermark, _logs, static log => log.DurableOffset);
        OffsetCheckpoint.Write(
            Files, _path, OffsetCheckpoint.LogStartOffset, _logs.Where(static log => log.StartsInsideSegment), static log => log.LogStartOffset);
    }

    private void AbandonLogs()
    {
        foreach (PartitionLog log in Logs)
        {
            log.Abandon();
        }
    }
}
