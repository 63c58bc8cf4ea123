using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Journals;
using LogPipeline.Storage.Recovery;
using LogPipeline.Storage.Segments;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>
/// One directory with partition logs, locked by this process; laid out as Apache Kafka's log.dirs entry. It owns the lock, the
/// identity (meta.properties), what outlives restarts (broker.checkpoint: leader epoch, producer ids) and the mark of a clean stop.
/// A log that cannot be opened does not keep the others from being served: it is listed with the reason.
/// </summary>
public sealed partial class DataDirectory : IDisposable
{
    /// <summary>Handles that partitions leave to sockets and sealed segments: this much, or a quarter of a low limit.</summary>
    private const int HandlesForOthersMax = 1024;

    /// <summary>Closed segments and indexes that stay open at once; fewer where the limit of handles is low.</summary>
    private const int OpenFilesMax = 512;

    /// <summary>
    /// The log of the cluster's state, partition 0 of this name: it says which topics there are, so it is opened before the others. Its
    /// snapshots lie beside it.
    /// </summary>
    public const string MetadataTopic = "__cluster_metadata";

    private readonly Lock _gate = new(); // guards the lists of logs
    private readonly string _path;
    private readonly LogPlace _place; // of any log, but for the log's own names
    private readonly LogPlace _unjournaled; // of the metadata log, which is read before the journal and syncs each append itself
    private readonly IDisposable _lock;
    private readonly BrokerCheckpoint _checkpoint;
    private readonly LogOffsets _starts;
    private readonly LogOffsets _cleanOffsets;
    private readonly DataDirectoryOptions _options;
    private readonly int _handlesForOthers;
    private readonly List<string> _halfMade = []; // directories of a creation that failed, which could not be removed
    private PartitionLog[] _logs = []; // replaced whole
    private OfflineLog[] _offline = []; // replaced whole
    private readonly Dictionary<OfflineLog, FoundLog> _retriable = []; // those that may open later

    private DataDirectory(
        string path, LogPlace place, LogPlace unjournaled, IDisposable held, MetaProperties identity, BrokerCheckpoint checkpoint, LogOffsets starts,
        DataDirectoryOptions options)
    {
        _path = path;
        _place = place;
        _unjournaled = unjournaled;
        _lock = held;
        _checkpoint = checkpoint;
        _starts = starts;
        _cleanOffsets = LogOffsets.Read(place.Files, path, OffsetCheckpoint.CleanOffset);
        _options = options;
        _handlesForOthers = Math.Min(HandlesForOthersMax, place.Files.FreeHandles() / 4);
        ClusterId = identity.ClusterId;
        NodeId = identity.NodeId;
    }

    public string ClusterId { get; }

    public int NodeId { get; }

    /// <summary>Where the directory lies, as the broker was told.</summary>
    public string RootPath => _path;

    /// <summary>Bytes that may still be written on the volume that the directory lies on.</summary>
    /// <exception cref="IOException">The disk refused to say.</exception>
    public long FreeBytes => Files.FreeBytes(_path);

    /// <summary>Size in bytes of that volume.</summary>
    /// <exception cref="IOException">The disk refused to say.</exception>
    public long TotalBytes => Files.TotalBytes(_path);

    /// <summary>The largest epoch in which this process leads a partition; rises durably at each start.</summary>
    public int LeaderEpoch => _checkpoint.LeaderEpoch;

    /// <summary>The open logs, by topic and partition in ordinal order. A snapshot.</summary>
    public IReadOnlyList<PartitionLog> Logs => Volatile.Read(ref _logs);

    /// <summary>The partitions that should be here and could not be opened. A snapshot.</summary>
    public IReadOnlyList<OfflineLog> OfflineLogs => Volatile.Read(ref _offline);

    /// <summary>Whether the disk is so full that clients' batches are refused.</summary>
    public bool IsShortOfSpace => _place.Space.IsShort;

    /// <summary>Why the commit journal is off until the next start, so that each log syncs its own segment; null while it works.</summary>
    public string? JournalProblem => _place.Journal.Problem;

    /// <summary>How many damaged batches were found since the start, by a scrub or by a read; they are not served.</summary>
    public long DamagedBatchesFound => _place.DamageFound.Batches;

    /// <summary>Set when the disk runs short or a segment was closed: what retention keeps may be too much now.</summary>
    public AsyncSignal MaintenanceDue => _place.MaintenanceDue;

    private IFileSystem Files => _place.Files;

    /// <summary>Locks the directory, makes it if need be, and opens the logs in it; recovers them after a crash.</summary>
    /// <exception cref="DirectoryLockedException">Another process has it.</exception>
    /// <exception cref="InvalidDataException">
    /// The directory belongs to another node or cluster, or a small file that concerns all logs is damaged.
    /// </exception>
    public static DataDirectory Open(
        IFileSystem files, string path, DataDirectoryOptions options, TimeProvider time, Random random, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(options);
        files.CreateDirectory(path);
        IDisposable held = files.Lock(path + "/.lock");
        DataDirectory? directory = null;
        CommitJournal? journal = null;
        PartitionLog? metadata = null;
        try
        {
            var maintenanceDue = new AsyncSignal();
            var space = new DiskSpace(files, path, options.ReservedBytes, maintenanceDue, logger);
            space.GiveUpIfFull();
            MetaProperties identity = MetaProperties.ReadOrMake(files, path, options, random);
            bool wasClean = CleanShutdownFile.Remove(files, path);
            var place = new LogPlace(path, "", Guid.Empty, 0)
            {
                Files = files,
                Space = space,
                MaintenanceDue = maintenanceDue,
                Journal = CommitJournal.Off(files, path, options, logger),
                Open = new OpenFiles(files, Math.Min(OpenFilesMax, files.FreeHandles() / 8)),
                Time = time,
                Logger = logger,
                OnFatal = options.OnFatal,
            };
            LogOffsets starts = LogOffsets.Read(files, path, OffsetCheckpoint.LogStartOffset);
            metadata = OpenMetadata(place, path, starts, identity, options);
            var search = new LogSearch(files, path, options.Topics(metadata), metadata?.LogEndOffset > 0, random, logger);
            identity.RaiseVersion(files, path);
            search.Run();
            BrokerCheckpoint checkpoint = BrokerCheckpoint.NextLife(files, path, search.Found);
            journal = CommitJournal.Read(files, path, search.Found, options, logger);
            directory = new DataDirectory(path, place with { Journal = journal }, place, held, identity, checkpoint, starts, options);
            directory.OpenLogs(search, metadata);
            journal.Begin(search.Found.Select(static log => (log.TopicId, log.Partition))
                .Concat(search.Offline.Select(static log => (log.TopicId, log.Partition))), random);
            space.Hold();
            Log.Opened(logger, path, directory.Logs.Count(static log => log.Topic != MetadataTopic), checkpoint.LeaderEpoch, wasClean ? "clean" : "a crash, or there was none");
            return directory;
        }
        catch
        {
            directory?.AbandonLogs();
            journal?.Dispose();
            metadata?.Abandon();
            held.Dispose();
            throw;
        }
    }

    /// <summary>Creates the logs of a topic's partitions, all of them or none; durable on return.</summary>
    /// <param name="topic">The topic's name.</param>
    /// <param name="topicId">The topic's id.</param>
    /// <param name="first">Number of the first partition to create.</param>
    /// <param name="count">How many partitions to create, at least one.</param>
    /// <param name="options">How the logs are kept.</param>
    /// <exception cref="HandlesExhaustedException">The process may not open that many files.</exception>
    /// <exception cref="IOException">One of them is there already, or the disk refused.</exception>
    public IReadOnlyList<PartitionLog> Create(string topic, Guid topicId, int first, int count, PartitionLogOptions options)
    {
        lock (_gate)
        {
            RequireHandles(count);
            FinishRemovals();
            FoundLog[] wanted = [.. Enumerable.Range(first, count).Select(
                partition => new FoundLog(LogDirectories.PathOf(_path, topic, partition), topic, topicId, partition))];
            if (Array.Find(wanted, log => LogDirectories.IsTaken(Files, log.Directory)) is { } taken)
            {
                throw new IOException($"{taken.Directory} is there already.");
            }
            var made = new List<PartitionLog>(count);
            try
            {
                foreach (FoundLog log in wanted)
                {
                    LogDirectories.Make(Files, log.Directory, topicId);
                    made.Add(new PartitionLog((topic == MetadataTopic ? _unjournaled : _place).Of(log), LogState.New(Files, _place.Open, log.Directory, NowMs()), options, 0));
                }
                LogDirectories.Flush(Files, _path, [.. wanted.Select(static log => log.Directory)]);
            }
            catch (IOException)
            {
                made.ForEach(static log => log.Abandon());
                _halfMade.AddRange(wanted.Select(static log => log.Directory));
                TryFinishRemovals();
                throw;
            }
            SetLogs(_logs.Concat(made));
            return made;
        }
    }

    /// <summary>
    /// Asks how much of the disk is free, and holds the reserve again where it was given up and there is room for it; producers are
    /// refused or served accordingly.
    /// </summary>
    public void LookAtSpace() => _place.Space.LookAndHold();

    /// <summary>A producer id never given out before, over all lives of this directory.</summary>
    public long NextProducerId() => _checkpoint.NextProducerId();

    /// <summary>Flushes all logs and leaves the mark of a clean stop; a disk that refuses makes it a stop like a crash. Appends after it fail.</summary>
    public async Task CloseAsync()
    {
        foreach (PartitionLog log in Logs)
        {
            await log.CloseAsync();
        }
        await _place.Journal.CloseAsync();
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
        _place.Journal.Dispose();
        _lock.Dispose();
    }

    private void RequireHandles(int count)
    {
        int free = Math.Max(0, Files.FreeHandles() - _handlesForOthers);
        if (count > free)
        {
            throw new HandlesExhaustedException(count, free);
        }
    }

    private long NowMs() => _place.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private void SetLogs(IEnumerable<PartitionLog> logs) => Volatile.Write(
        ref _logs, [.. logs.OrderBy(static log => log.Topic, StringComparer.Ordinal).ThenBy(static log => log.Partition)]);

    // For Kafka's own tools; recovery itself goes by each log's snapshots.
    private void WriteCheckpoints()
    {
        OffsetCheckpoint.Write(
            Files, _path, OffsetCheckpoint.RecoveryPoint, _logs.Select(static log => (log.Topic, log.Partition, log.SnapshotOffset)));
        OffsetCheckpoint.Write(
            Files, _path, OffsetCheckpoint.HighWatermark, _logs.Select(static log => (log.Topic, log.Partition, log.DurableOffset)));
    }

    private void AbandonLogs()
    {
        foreach (PartitionLog log in Logs)
        {
            log.Abandon();
        }
    }
}
