using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Appending, as the partition's leader or as its follower. Batches are checked outside the lock as far as they alone can be, then
/// written to the active segment under it.
/// </summary>
public sealed partial class PartitionLog
{
    /// <summary>
    /// Checks one batch of magic 2 (CRC, size, every record of a client's batch, sequence), stamps base offset and leader epoch into
    /// it and writes it. Not durable before <see cref="FlushedAsync"/>.
    /// </summary>
    /// <param name="batch">The batch; its base offset and leader epoch are overwritten.</param>
    /// <param name="origin">Who made it.</param>
    /// <param name="leaderEpoch">The epoch in which the caller leads this partition; it never falls.</param>
    /// <returns>
    /// CorruptMessage, InvalidRecord, InvalidTimestamp, MessageTooLarge, OutOfOrderSequenceNumber, DuplicateSequenceNumber (a repeat older than the
    /// five batches remembered), InvalidProducerEpoch, or KafkaStorageError when the disk refused: then nothing of the batch stays.
    /// </returns>
    public AppendResult AppendAsLeader(Memory<byte> batch, AppendOrigin origin, int leaderEpoch)
    {
        Span<byte> bytes = batch.Span;
        long now = Now();
        if (!IsSound(bytes, origin, now, out BatchHeader header, out AppendResult result))
        {
            return result.RefusedRecords is not null && header.HasProducer ? RepeatOr(result, in header, now) : result;
        }
        Due due;
        if (origin == AppendOrigin.Client && Options.LogAppendTime)
        {
            RecordBatch.SetAppendTime(bytes, now); // before the lock, since it reads the whole batch for its checksum
            header = header with { Attributes = (short)(header.Attributes | BatchHeader.LogAppendTime), MaxTimestamp = now };
        }
        lock (_gate)
        {
            long durable = DurableOffset;
            result = AppendChecked(bytes, header with { LeaderEpoch = leaderEpoch }, origin, now);
            due = DueAfter(in result, durable);
        }
        Do(due);
        return result;
    }

    /// <summary>
    /// Appends whole batches as the leader has them: offsets and leader epochs stay, and what the leader has checked of sequences and
    /// sizes is not checked again. Not durable before <see cref="FlushedAsync"/>.
    /// </summary>
    /// <param name="batches">One batch or more, one behind the other.</param>
    /// <param name="leaderEpoch">The epoch in which the leader they come from leads.</param>
    /// <returns>
    /// CorruptMessage (not whole, or a wrong checksum), OffsetOutOfRange (they do not go on at the log's end; up to the clean offset they may
    /// leave offsets out), FencedLeaderEpoch and
    /// UnknownLeaderEpoch (a batch is of an epoch before the log's last one, or after the leader's): then nothing is appended. With
    /// KafkaStorageError the disk refused, and the batches before the refused one stay: go on at <see cref="LogEndOffset"/>.
    /// </returns>
    public AppendResult AppendAsFollower(ReadOnlySpan<byte> batches, int leaderEpoch)
    {
        if (!BatchRules.AreSound(batches))
        {
            return AppendResult.Refused(ErrorCode.CorruptMessage, LogStartOffset);
        }
        AppendResult result;
        Due due;
        long now = Now();
        lock (_gate)
        {
            long durable = DurableOffset;
            result = AppendCopies(batches, leaderEpoch, now);
            due = DueAfter(in result, durable);
        }
        Do(due);
        return result;
    }

    /// <summary>
    /// Appends a batch of the broker's own and makes it durable, on the caller's thread. When the disk refuses either, the batch is cut
    /// off again, so that the caller may try once more. For rare writes, and only where nothing else is appended without a flush.
    /// </summary>
    /// <returns>As <see cref="AppendAsLeader"/>. After KafkaStorageError nothing of the batch stays, unless the log went offline.</returns>
    public AppendResult AppendDurably(Memory<byte> batch, int leaderEpoch)
    {
        const AppendOrigin Origin = AppendOrigin.Broker;
        long now = Now();
        if (!IsSound(batch.Span, Origin, now, out BatchHeader header, out AppendResult result))
        {
            return result;
        }
        lock (_gate)
        {
            result = AppendChecked(batch.Span, header with { LeaderEpoch = leaderEpoch }, Origin, now);
            if (result.Error == ErrorCode.None && !TryFlushOrCut())
            {
                result = AppendResult.Refused(ErrorCode.KafkaStorageError, _logStartOffset);
            }
        }
        TellAdvanced();
        return result;
    }

    // What can be checked of one batch without the lock.
    private bool IsSound(Span<byte> batch, AppendOrigin origin, long now, out BatchHeader header, out AppendResult refused)
    {
        PartitionLogOptions options = Options;
        BatchFault fault = BatchRules.Check(batch, origin, options.BatchBytesMax, new RecordRules(options, Name, now), _decoders, out header);
        refused = AppendResult.Refused(fault.Error, LogStartOffset) with { Problem = fault.Problem, RefusedRecords = fault.Records };
        return fault.Error == ErrorCode.None;
    }

    // A batch that the log took stays acknowledged, though the clock or the topic's settings would refuse its records now: its producer
    // would take the refusal for "not stored" and send them otherwise. Apache Kafka answers the refusal.
    private AppendResult RepeatOr(in AppendResult refused, in BatchHeader header, long now)
    {
        lock (_gate)
        {
            _producers.Check(in header, HeardSince(now), out ProducerBatch? repeated);
            return repeated is { } known && _offline is null && !_isClosed ? Repeat(in known, Options.LogAppendTime) : refused;
        }
    }

    /// <summary>What an append leaves to do once the lock is left.</summary>
    private readonly record struct Due(bool Tell, bool Commit, bool Sync);

    // Under _gate. A segment may have been closed, the disk may have refused.
    private Due DueAfter(in AppendResult result, long durableBefore) => new(
        DurableOffset > durableBefore || _offline is not null,
        result is { Duplicate: false } && _endOffset > DurableOffset && _offline is null,
        MustStartSync());

    private void Do(Due due)
    {
        if (due.Tell)
        {
            TellAdvanced();
        }
        if (due.Commit)
        {
            _journal.Commit();
        }
        if (due.Sync)
        {
            StartFlush();
        }
    }

    private AppendResult AppendChecked(Span<byte> bytes, BatchHeader header, AppendOrigin origin, long now)
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
                return Repeat(in known, header.IsLogAppendTime);
            }
            if (error != ErrorCode.None)
            {
                return AppendResult.Refused(error, _logStartOffset);
            }
        }
        if (origin == AppendOrigin.Client && !_space.TryTake(bytes.Length))
        {
            return AppendResult.Refused(ErrorCode.KafkaStorageError, _logStartOffset);
        }
        RecordBatch.Stamp(bytes, _endOffset, header.LeaderEpoch);
        header = header with { BaseOffset = _endOffset };
        return TryWrite(bytes, in header, now)
            ? new AppendResult(ErrorCode.None, header.BaseOffset, header.LastOffset, _logStartOffset, Duplicate: false)
            {
                LogAppendTime = header.IsLogAppendTime ? header.MaxTimestamp : -1,
            }
            : AppendResult.Refused(ErrorCode.KafkaStorageError, _logStartOffset);
    }

    private AppendResult Repeat(in ProducerBatch known, bool hasAppendTime) =>
        new(ErrorCode.None, known.BaseOffset, known.LastOffset, _logStartOffset, Duplicate: true) { LogAppendTime = hasAppendTime ? known.Timestamp : -1 };

    private AppendResult AppendCopies(ReadOnlySpan<byte> batches, int leaderEpoch, long now)
    {
        ErrorCode error = _offline is not null || _isClosed ? ErrorCode.KafkaStorageError
            : BatchRules.CheckPlace(batches, _endOffset, CleanOffset, _epochs.Latest, leaderEpoch);
        if (error != ErrorCode.None)
        {
            return AppendResult.Refused(error, _logStartOffset);
        }
        long baseOffset = _endOffset;
        for (; BatchHeader.TryParse(batches, out BatchHeader header); batches = batches[header.SizeInBytes..])
        {
            if (!TryWrite(batches[..header.SizeInBytes], in header, now))
            {
                return AppendResult.Refused(ErrorCode.KafkaStorageError, _logStartOffset);
            }
        }
        return new AppendResult(ErrorCode.None, baseOffset, _endOffset - 1, _logStartOffset, Duplicate: false);
    }

    // Writes a batch whose header says its place, and notes it; when the disk refuses, nothing of it stays.
    private bool TryWrite(ReadOnlySpan<byte> bytes, in BatchHeader header, long now)
    {
        PartitionLogOptions options = Options;
        try
        {
            if (Active.IsFull(bytes.Length, header.LastOffset, now, options))
            {
                Roll(now);
            }
            Active.Append(bytes, in header, options.IndexIntervalBytes, now);
        }
        catch (IOException e)
        {
            DropPartialWrite(e);
            return false;
        }
        _producers.Update(in header, now);
        _epochs.Assign(header.LeaderEpoch, header.BaseOffset);
        Volatile.Write(ref _endOffset, header.NextOffset);
        if (!TryJournal(bytes, in header))
        {
            WantSync();
        }
        else if (Active.MustSyncAhead(options))
        {
            _syncWanted = _endOffset;
        }
        return true;
    }

    private bool TryFlushOrCut()
    {
        try
        {
            Active.Flush();
            _journal.Synced(_journaledLog);
            _durable.SyncedTo(WrittenEnd());
            return true;
        }
        catch (IOException e)
        {
            Log.AppendRefused(_logger, Name, e);
        }
        try
        {
            Cut(DurableOffset);
        }
        catch (IOException e)
        {
            GoOffline(e);
        }
        return false;
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
        _durable.Rolled(WrittenEnd());
        _maintenanceDue.Set();
    }
}
