using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Recovery;
using LogPipeline.Storage.Segments;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>
/// The record batches of one partition, in offset order. It knows where the log ends and how much of it is durable; who leads the
/// partition and what consumers may see is its owner's affair. All members may be called from any thread. Appending writes the
/// active segment under a lock; one flush at a time makes durable what was appended meanwhile (PartitionLog.Flushing.cs); readers
/// say up to which offset they may see (PartitionLog.Reading.cs).
/// </summary>
public sealed partial class PartitionLog
{
    private readonly Lock _gate = new(); // guards what is written and what it is known by, unless a field says otherwise
    private readonly IFileSystem _files;
    private readonly OpenFiles _open;
    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFatal;
    private readonly ILogger _logger;
    private readonly ProducerTable _producers;
    private readonly LeaderEpochs _epochs;
    private LogSegment[] _segments; // replaced whole, so that readers need no lock
    private long _endOffset;
    private long _logStartOffset;

    /// <summary>For a simulation of brokers that remember less; the partition's lock guards it.</summary>
    internal ProducerTable ProducerTable => _producers;

    internal PartitionLog(LogPlace place, LogState state, PartitionLogOptions options, long logStartOffset)
    {
        _files = place.Files;
        _open = place.Open;
        _directory = place.Directory;
        _time = place.Time;
        _onFatal = place.OnFatal;
        _logger = place.Logger;
        Topic = place.Topic;
        TopicId = place.TopicId;
        Partition = place.Partition;
        Options = options;
        _segments = [.. state.Segments];
        _producers = state.Producers;
        _epochs = state.Epochs;
        _endOffset = state.EndOffset;
        _snapshotOffset = state.SnapshotOffset;
        _snapshotPosition = state.SnapshotPosition;
        _epochWritten = state.EpochWritten;
        _durable = WrittenEnd();
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

    internal string Directory => _directory;

    private LogSegment Active => _segments[^1];

    private string Name => $"{Topic}-{Partition}";

    /// <summary>
    /// Checks one batch of magic 2 (CRC, size, sequence), stamps base offset and leader epoch into it and writes it. Not durable
    /// before <see cref="FlushedAsync"/>.
    /// </summary>
    /// <param name="batch">The batch; its base offset and leader epoch are overwritten.</param>
    /// <param name="origin">Who made it.</param>
    /// <param name="leaderEpoch">The epoch in which the caller leads this partition; it never falls.</param>
    /// <returns>
    /// CorruptMessage, InvalidRecord, MessageTooLarge, OutOfOrderSequenceNumber, DuplicateSequenceNumber (a repeat older than the
    /// five batches remembered), InvalidProducerEpoch, or KafkaStorageError when the disk refused: then nothing of the batch stays.
    /// </returns>
    public AppendResult AppendAsLeader(Memory<byte> batch, AppendOrigin origin, int leaderEpoch)
    {
        Span<byte> bytes = batch.Span;
        ErrorCode error = BatchRules.Check(bytes, origin, Options.BatchBytesMax, out BatchHeader header);
        if (error != ErrorCode.None)
        {
            return AppendResult.Refused(error, LogStartOffset);
        }
        AppendResult result;
        bool startFlush;
        bool mustTell;
        long now = Now();
        lock (_gate)
        {
            long durable = DurableOffset;
            result = AppendLocked(bytes, header with { LeaderEpoch = leaderEpoch }, origin, now);
            startFlush = result is { Error: ErrorCode.None, Duplicate: false } && MustStartFlush();
            mustTell = DurableOffset > durable || _offline is not null; // a segment was closed, or the disk refused
        }
        if (mustTell)
        {
            TellAdvanced();
        }
        if (startFlush)
        {
            StartFlush();
        }
        return result;
    }

    internal bool StartsInsideSegment => LogStartOffset > Volatile.Read(ref _segments)[0].BaseOffset;

    internal void RaiseStart(long offset)
    {
        lock (_gate)
        {
            Volatile.Write(ref _logStartOffset, Math.Max(_logStartOffset, Math.Min(offset, DurableOffset)));
        }
    }

    /// <summary>Removes segments that lie wholly below the log's start; the start is durable.</summary>
    internal void DeleteBelowStart()
    {
        LogSegment[] removed;
        lock (_gate)
        {
            int keep = 0;
            while (keep < _segments.Length - 1 && _segments[keep + 1].BaseOffset <= _logStartOffset)
            {
                keep++;
            }
            removed = _segments[..keep];
            Volatile.Write(ref _segments, _segments[keep..]);
        }
        foreach (LogSegment segment in removed)
        {
            segment.Delete();
        }
    }

    private AppendResult AppendLocked(Span<byte> bytes, BatchHeader header, AppendOrigin origin, long now)
    {
        if (_offline is not null || _isClosed)
        {
            return AppendResult.Refused(ErrorCode.KafkaStorageError, _logStartOffset);
        }
        if (origin == AppendOrigin.Client && header.HasProducer)
        {
            ErrorCode error = _producers.Check(in header, HeardSince(now), out ProducerBatch? repeated);
            if (repeated is { } known)
            {
                return new AppendResult(ErrorCode.None, known.BaseOffset, known.LastOffset, _logStartOffset, Duplicate: true);
            }
            if (error != ErrorCode.None)
            {
                return AppendResult.Refused(error, _logStartOffset);
            }
        }
        try
        {
            WriteBatch(bytes, ref header, now);
        }
        catch (IOException e)
        {
            DropPartialWrite(e);
            return AppendResult.Refused(ErrorCode.KafkaStorageError, _logStartOffset);
        }
        _producers.Update(in header, now);
        _epochs.Assign(header.LeaderEpoch, header.BaseOffset);
        Volatile.Write(ref _endOffset, header.NextOffset);
        return new AppendResult(ErrorCode.None, header.BaseOffset, header.LastOffset, _logStartOffset, Duplicate: false);
    }

    private void WriteBatch(Span<byte> bytes, ref BatchHeader header, long now)
    {
        PartitionLogOptions options = Options;
        if (Active.IsFull(bytes.Length, _endOffset + header.LastOffsetDelta, now, options))
        {
            Roll(now);
        }
        RecordBatch.Stamp(bytes, _endOffset, header.LeaderEpoch);
        header = header with { BaseOffset = _endOffset };
        Active.Append(bytes, in header, options.IndexIntervalBytes);
    }

    // What a refused write left behind is cut durably: later batches take its place, and no crash may mix the two.
    private void DropPartialWrite(IOException cause)
    {
        Log.AppendRefused(_logger, Name, cause);
        if (_offline is null)
        {
            try
            {
                Active.CutTail();
            }
            catch (IOException e)
            {
                GoOffline(e);
            }
        }
    }

    // The old segment is made durable whole before the new one exists, so that only the active segment ever needs recovery.
    private void Roll(long now)
    {
        Active.CompleteTimes();
        Active.Trim();
        FlushNow();
        Checkpoint(WrittenEnd(), ProducerSnapshot.Encode(_producers));
        var next = new LogSegment(_files, _open, _directory, _endOffset);
        next.Create(now);
        _files.FlushDirectory(_directory);
        LogSegment closed = Active;
        Volatile.Write(ref _segments, [.. _segments, next]);
        closed.Seal();
        _snapshotPosition = 0;
        Volatile.Write(ref _durable, WrittenEnd());
    }

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private long HeardSince(long now) => now - (long)Options.ProducerIdExpiration.TotalMilliseconds;
}
