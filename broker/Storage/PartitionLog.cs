using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Journals;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Recovery;
using LogPipeline.Storage.Segments;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>
/// The record batches of one partition, in offset order. It knows where the log ends and how much of it is durable; who leads the
/// partition and what consumers may see is its owner's affair. All members may be called from any thread. Appending writes the
/// active segment under a lock (PartitionLog.Appending.cs). What is small is made durable by the commit journal of all logs, the rest by
/// one sync of the segment at a time, which takes what was appended meanwhile (PartitionLog.Flushing.cs). Readers say up to which offset
/// they may see (PartitionLog.Reading.cs); a follower may cut the end (PartitionLog.Truncation.cs), retention removes the oldest segments
/// (PartitionLog.Retention.cs), what is found on the disk is checked before it is served, and what is damaged is not (PartitionLog.Damage.cs).
/// </summary>
public sealed partial class PartitionLog
{
    private readonly Lock _gate = new(); // guards what is written and what it is known by, unless a field says otherwise
    private readonly IFileSystem _files;
    private readonly OpenFiles _open;
    private readonly DiskSpace _space;
    private readonly AsyncSignal _maintenanceDue;
    private readonly string _directory;
    private readonly CommitJournal _journal;
    private readonly JournaledLog _journaledLog;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFatal;
    private readonly ILogger _logger;
    private readonly BatchDecoders _decoders;
    private readonly LeaderEpochs _epochs;
    private ProducerTable _producers; // replaced when the log is cut
    private LogSegment[] _segments; // replaced whole, so that readers need no lock
    private readonly long _foundEndOffset; // what lies below was there at the start
    private long _endOffset;
    private long _logStartOffset;

    /// <summary>For a simulation of brokers that remember less; the partition's lock guards it.</summary>
    internal ProducerTable ProducerTable => _producers;

    internal PartitionLog(LogPlace place, LogState state, PartitionLogOptions options, long logStartOffset)
    {
        _files = place.Files;
        _open = place.Open;
        _space = place.Space;
        _maintenanceDue = place.MaintenanceDue;
        _directory = place.Directory;
        _journal = place.Journal;
        _journaledLog = new JournaledLog(this);
        _time = place.Time;
        _onFatal = place.OnFatal;
        _logger = place.Logger;
        _decoders = place.Decoders;
        Topic = place.Topic;
        TopicId = place.TopicId;
        Partition = place.Partition;
        Options = options;
        _segments = [.. state.Segments];
        _producers = state.Producers;
        _epochs = state.Epochs;
        _endOffset = state.EndOffset;
        _foundEndOffset = state.EndOffset;
        _snapshotOffset = state.SnapshotOffset;
        _snapshotPosition = state.SnapshotPosition;
        _epochWritten = state.EpochWritten;
        _cuts = state.Cuts;
        CleanOffset = state.CleanOffset;
        _damaged = DamagedBatch.Read(_files, _directory);
        _damageFound = place.DamageFound;
        _durable = new DurableEnd(WrittenEnd());
        _syncWanted = _endOffset;
        _logStartOffset = Math.Clamp(logStartOffset, _segments[0].BaseOffset, _endOffset);
    }

    public string Topic { get; }

    public Guid TopicId { get; }

    public int Partition { get; }

    /// <summary>May be replaced while the log is in use.</summary>
    public PartitionLogOptions Options { get; set; }

    /// <summary>First offset that can be read.</summary>
    public long LogStartOffset => Volatile.Read(ref _logStartOffset);

    /// <summary>The offset that the next record gets.</summary>
    public long LogEndOffset => Volatile.Read(ref _endOffset);

    /// <summary>Bytes of batches on disk, all segments.</summary>
    public long SizeBytes => Volatile.Read(ref _segments).Sum(static segment => segment.SizeBytes);

    /// <summary>Up to here compaction may have left offsets out; beyond, each batch begins where the one before it ends.</summary>
    internal long CleanOffset { get; }

    /// <summary>Where its files lie.</summary>
    public string Directory => _directory;

    private LogSegment Active => _segments[^1];

    private string Name => $"{Topic}-{Partition}";

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private long HeardSince(long now) => now - (long)Options.ProducerIdExpiration.TotalMilliseconds;
}
