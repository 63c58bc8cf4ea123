using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Verification;

/// <summary>Checks a closed segment of a log in use, a step at a time; what it finds damaged is not served from that moment on. Not for several threads.</summary>
public sealed class SegmentScrub : IDisposable
{
    private readonly PartitionLog _log;
    private readonly FileUse _file;
    private readonly BatchCheck _check;
    private readonly long _segmentOffset;
    private readonly long _endOffset;
    private readonly long _length;
    private readonly List<DamagedBatch> _found = [];
    private long _position;
    private long? _expected;
    private long _nextOffset;

    internal SegmentScrub(PartitionLog log, FileUse file, LogSegment segment, long endOffset)
    {
        (_log, _file, _segmentOffset, _endOffset, _length) = (log, file, segment.BaseOffset, endOffset, segment.SizeBytes);
        (_expected, _nextOffset) = (segment.BaseOffset, segment.BaseOffset);
        _check = new BatchCheck(file.File, _length, log.CleanOffset);
        File = segment.Path;
    }

    /// <summary>The segment's path.</summary>
    public string File { get; }

    /// <summary>What is damaged so far.</summary>
    public IReadOnlyList<DamagedBatch> Found => _found;

    /// <summary>Why the last of <see cref="Found"/> was refused.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Checks the next batches.</summary>
    /// <param name="bytes">About how many bytes of them.</param>
    /// <returns>How many bytes it were; 0 when the segment is done.</returns>
    /// <exception cref="IOException">The disk refused to read, or to keep what was found.</exception>
    public long Step(long bytes)
    {
        long from = _position;
        while (_position < _length && _position - from < bytes)
        {
            if (_check.IsSound(_position, _expected))
            {
                BatchHeader header = _check.Header;
                _position += header.SizeInBytes;
                (_expected, _nextOffset) = (header.NextOffset, header.NextOffset);
            }
            else
            {
                StepOver();
            }
        }
        if (from == _position)
        {
            _log.SetDamage(_segmentOffset, _position, _found); // also what was damaged once and is sound now
        }
        return _position - from;
    }

    public void Dispose()
    {
        _check.Dispose();
        _file.Dispose();
    }

    private void StepOver()
    {
        Problem = _check.Problem;
        long next = _check.NextSound(_position, _nextOffset);
        long nextOffset = next < _length ? _check.Header.BaseOffset : _endOffset;
        _found.Add(new DamagedBatch(_nextOffset, nextOffset, _segmentOffset, _position));
        (_position, _nextOffset, _expected) = (next, nextOffset, null);
        _log.SetDamage(_segmentOffset, _position, _found);
    }
}
