using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Recovery;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>A part of a segment's file in which no sound record batch lies.</summary>
/// <param name="File">The segment's path.</param>
/// <param name="Position">Where the part begins, in bytes.</param>
/// <param name="Length">How long it is, in bytes.</param>
/// <param name="Offset">The offset that was expected at its start.</param>
/// <param name="Reason">Why the batch there was refused.</param>
public readonly record struct DamagedPart(string File, long Position, long Length, long Offset, string Reason);

/// <summary>
/// Walks the durable batches of a log in offset order, straight from the segment files, and steps over what is damaged: behind a
/// damaged batch the walk goes on at the next bytes that are a whole batch with a valid CRC and a later offset. For logs whose
/// reader prefers the rest to nothing. Not for several threads.
/// </summary>
/// <example><code>while (reader.Read()) { … reader.Header, reader.Batch … }</code></example>
public sealed class SalvageReader : IDisposable
{
    private readonly IReadOnlyList<(LogSegment Segment, long Limit)> _segments;
    private readonly long _startOffset;
    private readonly Action<DamagedPart> _onDamage;
    private int _current = -1;
    private FileUse? _file;
    private BatchReader? _reader;
    private long _position;
    private long _nextOffset;
    private BatchHeader _header;
    private string _problem = "";

    /// <param name="segments">Each segment, and up to which position it may be read.</param>
    /// <param name="startOffset">Batches that end below it are left out.</param>
    /// <param name="onDamage">Called for each part that is stepped over.</param>
    internal SalvageReader(IReadOnlyList<(LogSegment Segment, long Limit)> segments, long startOffset, Action<DamagedPart> onDamage)
    {
        _segments = segments;
        _startOffset = startOffset;
        _onDamage = onDamage;
    }

    /// <summary>The header of the current batch.</summary>
    public BatchHeader Header => _header;

    /// <summary>The current batch with its header, as it is stored; valid until the next <see cref="Read"/>.</summary>
    public ReadOnlySpan<byte> Batch => _reader!.Bytes(_position - _header.SizeInBytes, _header.SizeInBytes);

    /// <summary>Goes to the next sound batch; returns false behind the last one.</summary>
    /// <exception cref="IOException">The disk refused to read.</exception>
    public bool Read()
    {
        while (true)
        {
            if (_reader is not null && TryReadInSegment())
            {
                if (_header.LastOffset >= _startOffset)
                {
                    return true;
                }
            }
            else if (!TryOpenNext())
            {
                return false;
            }
        }
    }

    public void Dispose()
    {
        _reader?.Dispose();
        _reader = null;
        _file?.Dispose();
        _file = null;
    }

    private bool TryOpenNext()
    {
        Dispose();
        if (_current + 1 >= _segments.Count)
        {
            return false;
        }
        (LogSegment segment, long limit) = _segments[++_current];
        FileUse file = segment.Use();
        _file = file;
        _reader = new BatchReader(file.File, limit);
        _position = 0;
        _nextOffset = Math.Max(_nextOffset, segment.BaseOffset);
        return true;
    }

    // A batch whose header still looks right is stepped over whole if a sound one follows; otherwise each byte may begin a batch.
    private bool TryReadInSegment()
    {
        (LogSegment segment, long limit) = _segments[_current];
        if (_position >= limit)
        {
            return false;
        }
        if (IsSound(_position))
        {
            return Take(_position);
        }
        string reason = _problem;
        long damaged = _position;
        bool found = SegmentScan.TryReadHeader(_file!.Value.File, damaged, limit, out BatchHeader header) && IsSound(damaged + header.SizeInBytes);
        long next = found ? damaged + header.SizeInBytes : damaged + 1;
        while (!found && next < limit)
        {
            found = IsSound(next);
            next += found ? 0 : 1;
        }
        _onDamage(new DamagedPart(segment.Path, damaged, next - damaged, _nextOffset, reason));
        _position = next;
        return found && Take(next);
    }

    private bool IsSound(long position)
    {
        if (!_reader!.TryRead(position, expectedOffset: null, cleanOffset: 0, out _header))
        {
            _problem = _reader.Problem;
            return false;
        }
        _problem = $"the batch says that it begins at offset {_header.BaseOffset}";
        return _header.BaseOffset >= _nextOffset;
    }

    private bool Take(long position)
    {
        _position = position + _header.SizeInBytes;
        _nextOffset = _header.NextOffset;
        return true;
    }
}
