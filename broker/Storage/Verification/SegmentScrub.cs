using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Verification;

/// <summary>Checks a segment of a log in use, a step at a time; what it finds damaged is not served from that moment on. Not for several threads.</summary>
public sealed class SegmentScrub : IDisposable
{
    private readonly PartitionLog _log;
    private readonly LogSegment _segment;
    private readonly LogEnd _end;
    private readonly FileUse _file;
    private readonly BatchCheck _check;
    private readonly List<DamagedBatch> _found = [];
    private long _position;
    private long? _expected; // null behind damage
    private long _nextOffset;
    private int? _epoch; // of the sound batch before; null behind damage

    /// <param name="log">The log.</param>
    /// <param name="file">The segment's file; disposed with the scrub.</param>
    /// <param name="end">How far to check: the end of a closed segment, or of what is durable.</param>
    internal SegmentScrub(PartitionLog log, FileUse file, LogEnd end)
    {
        (_log, _file, _end, _segment) = (log, file, end, end.Segment);
        (_expected, _nextOffset) = (_segment.BaseOffset, _segment.BaseOffset);
        _check = new BatchCheck(file.File, end.Position, log.CleanOffset);
    }

    /// <summary>Checks the next batches.</summary>
    /// <param name="bytes">About how many bytes of them.</param>
    /// <returns>How many bytes it were; 0 when the segment is done, or the log was cut meanwhile.</returns>
    /// <exception cref="IOException">The disk refused to read, or to keep what was found.</exception>
    public long Step(long bytes)
    {
        long from = _position;
        while (_position < _end.Position && _position - from < bytes)
        {
            if (ProblemHere() is { } problem)
            {
                if (!TryStepOver(problem))
                {
                    return 0;
                }
                continue;
            }
            BatchHeader header = _check.Header;
            _position += header.SizeInBytes;
            (_expected, _nextOffset, _epoch) = (header.NextOffset, header.NextOffset, header.LeaderEpoch);
        }
        if (from == _position)
        {
            _log.SetDamage(_segment, _end.Cuts, _position, _found, ""); // also what was damaged once and is sound now
        }
        _segment.Checked.Add(from, _position, _nextOffset);
        return _position - from;
    }

    public void Dispose()
    {
        _check.Dispose();
        _file.Dispose();
    }

    private string? ProblemHere() =>
        !_check.IsSound(_position, _expected) ? _check.Problem
        : FitsEpoch(_check.Header) ? null
        : $"the batch says leader epoch {_check.Header.LeaderEpoch}";

    // Where it alone says so. With a batch beside it that says the same, the checkpoint of epochs is what is damaged.
    private bool FitsEpoch(BatchHeader header) =>
        _log.FitsEpoch(in header)
        || header.LeaderEpoch == _epoch
        || (SegmentScan.TryReadHeader(_file.File, _position + header.SizeInBytes, _end.Position, out BatchHeader next) && next.LeaderEpoch == header.LeaderEpoch);

    private bool TryStepOver(string problem)
    {
        long next = _check.NextSound(_position, _nextOffset);
        long nextOffset = next < _end.Position ? _check.Header.BaseOffset : _end.Offset;
        _found.Add(new DamagedBatch(_nextOffset, nextOffset, _segment.BaseOffset, _position, next));
        (_position, _nextOffset, _expected, _epoch) = (next, nextOffset, null, null);
        return _log.SetDamage(_segment, _end.Cuts, _position, _found, problem);
    }
}
