using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>Checkpoints, which say from where a restart has to read again, and the ends of a log: closed, deleted, let go of.</summary>
public sealed partial class PartitionLog
{
    private bool _isClosed; // guarded by _gate
    private long _snapshotOffset; // guarded by _gate
    private long _snapshotPosition; // guarded by _gate; in the active segment
    private int _epochWritten; // guarded by _gate; the newest one in the epochs' file

    /// <summary>Closed with everything durable.</summary>
    internal bool StoppedClean { get; private set; }

    /// <summary>Up to here a restart reads nothing again.</summary>
    internal long SnapshotOffset
    {
        get
        {
            lock (_gate)
            {
                return _snapshotOffset;
            }
        }
    }

    /// <summary>Flushes all and lets go; later appends are refused.</summary>
    internal async Task CloseAsync()
    {
        Task flushing;
        TaskCompletionSource? interval;
        lock (_gate)
        {
            _isClosed = true;
            (flushing, interval) = (_flushing, _interval);
        }
        interval?.TrySetResult();
        await flushing;
        lock (_gate)
        {
            StoppedClean = _offline is null && (_snapshotOffset == _endOffset || TryComplete());
        }
        TellAdvanced();
        Abandon();
    }

    /// <summary>Takes nothing more and leaves the files to the readers that still use them.</summary>
    public void Retire()
    {
        lock (_gate)
        {
            _isClosed = true;
            if (_offline is null)
            {
                LetGo(new ObjectDisposedException(Name));
            }
        }
        TellAdvanced();
    }

    /// <summary>Nothing that the journal holds of the log counts any more: it is deleted.</summary>
    internal void Forget() => _journal.Forget(_journaledLog);

    /// <summary>Lets go of the files as they are.</summary>
    internal void Abandon()
    {
        Retire();
        lock (_gate)
        {
            foreach (LogSegment segment in _segments)
            {
                segment.Close();
            }
        }
    }

    // The rest is called under _gate.
    private bool TryComplete()
    {
        try
        {
            Active.CompleteTimes();
            Active.Trim();
            FlushNow();
            Checkpoint(WrittenEnd(), ProducerSnapshot.Encode(_producers));
            return true;
        }
        catch (IOException e)
        {
            Log.CheckpointRefused(_logger, Name, e);
            return false;
        }
    }

    private void TryCheckpoint(LogEnd end, byte[] snapshot)
    {
        try
        {
            Checkpoint(end, snapshot);
        }
        catch (IOException e)
        {
            Log.CheckpointRefused(_logger, Name, e);
        }
        _snapshotPosition = end.Position;
    }

    // The log is durable up to this end. The snapshot comes last: it vouches for the rest.
    private void Checkpoint(LogEnd end, byte[] snapshot)
    {
        end.Segment.FlushIndexes();
        if (_epochs.Latest > _epochWritten)
        {
            TextCheckpoint.Write(_files, _directory + "/" + LeaderEpochs.FileName, _epochs.Lines());
            _epochWritten = _epochs.Latest;
        }
        AtomicFile.Replace(_files, SegmentFileName.Of(_directory, end.Offset, SegmentFileName.Snapshot), snapshot);
        ProducerSnapshots.RemoveBefore(_files, _directory, _snapshotOffset, _segments);
        _snapshotOffset = end.Offset;
        _snapshotPosition = end.Position;
    }
}
