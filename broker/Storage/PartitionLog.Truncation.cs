using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Cutting the end of a log while it is in use, as a follower must whose end its leader does not have. The files change in an order
/// in which recovery takes every state on the way: first it is noted that what the journal has of the log does not count any more, all
/// of it being in the files until the cut; then the snapshots beyond the cut go, because each vouches for what lies below
/// it; then the segments, newest first, so that no gap can arise; last the segment that holds the cut becomes shorter.
/// </summary>
public sealed partial class PartitionLog
{
    // Guarded by _gate: how often the log was cut. Ends and places carry the count, so that those taken before a cut are recognised.
    private int _cuts;

    /// <summary>
    /// Drops all batches that reach to an offset or beyond it, durably on return, with what they did to the producers and the leader
    /// epochs. Waiters for an offset beyond the new end fail at once: it will not come.
    /// </summary>
    /// <param name="offset">At or above <see cref="LogStartOffset"/>; at or beyond the log's end, nothing is dropped.</param>
    /// <returns>The new end: the offset, or the base offset of the batch that holds it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The cut would lie below the log's start.</exception>
    /// <exception cref="IOException">The disk refused. Where something was dropped already, the log is offline.</exception>
    public long TruncateTo(long offset)
    {
        List<TaskCompletionSource>? gone;
        List<TaskCompletionSource>? synced = null;
        long end;
        try
        {
            lock (_gate)
            {
                if (_offline is not null)
                {
                    throw new LogOfflineException(Name, _offline);
                }
                if (offset < _endOffset)
                {
                    Cut(offset);
                    synced = _waitingForSync.TakeAll();
                }
                end = _endOffset;
                gone = _waiting.TakeBeyond(end);
            }
        }
        finally
        {
            TellAdvanced();
        }
        OffsetWaiters.Release(synced);
        OffsetWaiters.Fail(gone, new LogTruncatedException(Name, end));
        return end;
    }

    // The rest is called under _gate.
    private void Cut(long offset)
    {
        int index = Array.FindLastIndex(_segments, segment => segment.BaseOffset <= offset);
        (long border, long position) = index < 0 ? (-1, 0) : BorderOf(_segments[index], offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(border, _logStartOffset, nameof(offset));
        (long snapshot, ProducerTable producers) = ProducerSnapshots.Newest(_files, _directory, _segments[0].BaseOffset, border);
        producers.OldRepeat = _producers.OldRepeat;
        long snapshotPosition = Replay(producers, snapshot, index, position);
        try
        {
            CutFiles(index, border, position);
        }
        catch (IOException e)
        {
            GoOffline(e);
            throw;
        }
        _producers = producers;
        _snapshotOffset = snapshot;
        _snapshotPosition = snapshotPosition;
        _cuts++;
        Volatile.Write(ref _segments, _segments[..(index + 1)]);
        Volatile.Write(ref _endOffset, border);
        _syncWanted = border;
        _durable.CutTo(WrittenEnd());
        _journal.Synced(_journaledLog);
    }

    // The batch border at an offset or at the begin of the batch that holds it.
    private (long Offset, long Position) BorderOf(LogSegment segment, long offset)
    {
        RequireIndexes(segment);
        if (offset == segment.BaseOffset)
        {
            return (offset, 0);
        }
        using FileUse use = segment.Use();
        return SegmentScan.Find(segment, use.File, offset, segment.SizeBytes, _damaged) is { } found
            ? (Math.Min(offset, found.Header.BaseOffset), found.Position) // between two batches where offsets are missing
            : (offset, segment.SizeBytes);
    }

    // Brings a snapshot's producers up to the cut; returns the snapshot's position where it lies in the same segment, else 0.
    private long Replay(ProducerTable producers, long snapshot, int index, long position)
    {
        int first = Array.FindLastIndex(_segments, segment => segment.BaseOffset <= snapshot);
        long snapshotPosition = 0;
        long now = Now();
        for (int i = first; i <= index; i++)
        {
            LogSegment segment = _segments[i];
            RequireIndexes(segment);
            long limit = i == index ? position : segment.SizeBytes;
            long at = i == first ? BorderOf(segment, snapshot).Position : 0;
            snapshotPosition = at;
            using FileUse use = segment.Use();
            for (; SegmentScan.TryReadHeader(use.File, at, limit, out BatchHeader header); at += header.SizeInBytes)
            {
                producers.Update(in header, now);
            }
            if (at != limit)
            {
                throw new CorruptLogException(segment.Path, at, snapshot, "no record batch begins here");
            }
        }
        return first == index ? snapshotPosition : 0;
    }

    private void CutFiles(int index, long border, long position)
    {
        LogCuts.Write(_files, _directory, _cuts + 1);
        ProducerSnapshots.RemoveBeyond(_files, _directory, border);
        for (int i = _segments.Length - 1; i > index; i--)
        {
            _segments[i].Delete();
            _files.FlushDirectory(_directory);
        }
        _segments[index].CutAt(border, position);
        _epochs.TruncateFrom(border);
        _damaged = [.. _damaged.Where(batch => batch.FirstOffset < border)];
        if (_epochWritten > _epochs.Latest)
        {
            TextCheckpoint.Write(_files, _directory + "/" + LeaderEpochs.FileName, _epochs.Lines());
            _epochWritten = _epochs.Latest;
        }
    }
}
