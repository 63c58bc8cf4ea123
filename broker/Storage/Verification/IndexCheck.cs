using System.Buffers.Binary;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Verification;

/// <summary>
/// Holds a segment's two indexes against its batches, which are told in order. A missing index is no fault: reading makes it anew. Zeros
/// at the end of one are space that Apache Kafka has reserved.
/// </summary>
internal sealed class IndexCheck
{
    private readonly string _offsetsPath;
    private readonly string _timesPath;
    private readonly byte[] _offsets;
    private readonly byte[] _times;
    private readonly long _baseOffset;
    private int _offsetAt; // the next entry to be held against a batch, in bytes
    private int _timeAt;

    public IndexCheck(IFileSystem files, string directory, long baseOffset)
    {
        _baseOffset = baseOffset;
        _offsetsPath = SegmentFileName.Of(directory, baseOffset, SegmentFileName.OffsetIndex);
        _timesPath = SegmentFileName.Of(directory, baseOffset, SegmentFileName.TimeIndex);
        _offsets = Entries(files, _offsetsPath, OffsetIndex.EntrySize);
        _times = Entries(files, _timesPath, TimeIndex.EntrySize);
    }

    /// <summary>The entries of a sound batch.</summary>
    public IEnumerable<LogFault> Batch(long position, BatchHeader header)
    {
        while (_offsetAt < _offsets.Length && PositionAt(_offsetAt) <= position)
        {
            (long offset, long at) = (OffsetAt(_offsetAt), PositionAt(_offsetAt));
            if (at < position)
            {
                yield return new LogFault(_offsetsPath, _offsetAt, offset, $"the entry says position {at}, where no batch begins");
            }
            else if (offset != header.LastOffset)
            {
                yield return new LogFault(_offsetsPath, _offsetAt, offset, $"the batch at position {at} ends with offset {header.LastOffset}");
            }
            _offsetAt += OffsetIndex.EntrySize;
        }
        while (_timeAt < _times.Length && TimeOffsetAt(_timeAt) <= header.LastOffset)
        {
            (long timestamp, long offset) = (TimestampAt(_timeAt), TimeOffsetAt(_timeAt));
            if (offset < header.BaseOffset)
            {
                yield return new LogFault(_timesPath, _timeAt, offset, "the entry names an offset that is in no batch, or comes before one that it follows");
            }
            else if (timestamp != header.MaxTimestamp)
            {
                yield return new LogFault(_timesPath, _timeAt, offset, $"the entry says timestamp {timestamp}, the largest of the batch is {header.MaxTimestamp}");
            }
            _timeAt += TimeIndex.EntrySize;
        }
    }

    /// <summary>A damaged part of the segment was stepped over: entries that point into it say nothing.</summary>
    /// <param name="position">Where the next batch begins.</param>
    /// <param name="offset">Its base offset.</param>
    public void StepOver(long position, long offset)
    {
        while (_offsetAt < _offsets.Length && PositionAt(_offsetAt) < position)
        {
            _offsetAt += OffsetIndex.EntrySize;
        }
        while (_timeAt < _times.Length && TimeOffsetAt(_timeAt) < offset)
        {
            _timeAt += TimeIndex.EntrySize;
        }
    }

    /// <summary>Entries for which no batch came.</summary>
    public IEnumerable<LogFault> End()
    {
        if (_offsetAt < _offsets.Length)
        {
            yield return new LogFault(_offsetsPath, _offsetAt, OffsetAt(_offsetAt), $"the entry says position {PositionAt(_offsetAt)}, behind the last batch");
        }
        if (_timeAt < _times.Length)
        {
            yield return new LogFault(_timesPath, _timeAt, TimeOffsetAt(_timeAt), "the entry names an offset behind the last batch");
        }
    }

    private long OffsetAt(int at) => _baseOffset + BinaryPrimitives.ReadInt32BigEndian(_offsets.AsSpan(at));

    private long PositionAt(int at) => BinaryPrimitives.ReadInt32BigEndian(_offsets.AsSpan(at + 4));

    private long TimestampAt(int at) => BinaryPrimitives.ReadInt64BigEndian(_times.AsSpan(at));

    private long TimeOffsetAt(int at) => _baseOffset + BinaryPrimitives.ReadInt32BigEndian(_times.AsSpan(at + 8));

    // Whole entries, without zeros at the end.
    private static byte[] Entries(IFileSystem files, string path, int entrySize)
    {
        byte[] bytes = AtomicFile.ReadAll(files, path) ?? [];
        int used = bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        return bytes[..Math.Min((used + entrySize - 1) / entrySize * entrySize, bytes.Length - (bytes.Length % entrySize))];
    }
}
