using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Records;

/// <summary>
/// Walks the records of a batch, uncompressed, as slices: <c>while (reader.Read()) …</c>. Lengths are checked before they are
/// used; what does not hold throws <see cref="CorruptRecordException"/>.
/// </summary>
public ref struct RecordReader
{
    private readonly ReadOnlySpan<byte> _records;
    private readonly BatchHeader _header;
    private int _position;
    private int _read;

    /// <param name="records">The records, as <see cref="BatchDecoder.Records"/> returns them.</param>
    /// <param name="header">Of the same batch.</param>
    public RecordReader(ReadOnlySpan<byte> records, in BatchHeader header)
    {
        _records = records;
        _header = header;
    }

    public long Offset { get; private set; }

    /// <summary>Milliseconds since 1970; -1 when the producer gave none.</summary>
    public long Timestamp { get; private set; }

    /// <summary>False when the key is null.</summary>
    public bool HasKey { get; private set; }

    /// <summary>False when the value is null.</summary>
    public bool HasValue { get; private set; }

    public ReadOnlySpan<byte> Key { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public int HeaderCount { get; private set; }

    /// <summary>The headers as they are encoded (see <see cref="RecordHeaders"/>).</summary>
    public ReadOnlySpan<byte> Headers { get; private set; }

    /// <summary>Goes to the next record; false after the last.</summary>
    public bool Read()
    {
        if (_read == _header.RecordCount)
        {
            return _position == _records.Length
                ? false
                : throw new CorruptRecordException($"{_records.Length - _position} bytes follow the last record of the batch at offset {_header.BaseOffset}");
        }
        int length = Length(0);
        int end = length >= 1 && length <= _records.Length - _position ? _position + length : throw Corrupt("length");
        _position++;
        long timestampDelta = Long();
        int offsetDelta = Length(0);
        Key = Field(end, out bool hasKey);
        Value = Field(end, out bool hasValue);
        HasKey = hasKey;
        HasValue = hasValue;
        HeaderCount = Length(0);
        // A header takes two bytes at least, and without headers the record ends here.
        if (_position > end || HeaderCount > (end - _position) / 2 || (HeaderCount == 0 && _position < end) || offsetDelta > _header.LastOffsetDelta)
        {
            throw Corrupt("field");
        }
        Headers = _records[_position..end];
        Offset = _header.BaseOffset + offsetDelta;
        Timestamp = _header.IsLogAppendTime ? _header.MaxTimestamp : _header.BaseTimestamp + timestampDelta;
        _position = end;
        _read++;
        return true;
    }

    /// <summary>The value of the first header of that key; false when there is none. A null value is empty.</summary>
    public readonly bool TryGetHeader(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> rest = Headers;
        for (int i = 0; i < HeaderCount; i++)
        {
            ReadOnlySpan<byte> name = Next(ref rest);
            value = Next(ref rest);
            if (name.SequenceEqual(key))
            {
                return true;
            }
        }
        value = default;
        return false;
    }

    private readonly ReadOnlySpan<byte> Next(scoped ref ReadOnlySpan<byte> rest)
    {
        if (!Varint.TryRead(rest, out long length, out int size) || length < -1 || length > rest.Length - size)
        {
            throw Corrupt("header");
        }
        int count = (int)Math.Max(length, 0);
        ReadOnlySpan<byte> field = rest.Slice(size, count);
        rest = rest[(size + count)..];
        return field;
    }

    private ReadOnlySpan<byte> Field(int end, out bool present)
    {
        int length = Length(-1);
        present = length >= 0;
        if (!present)
        {
            return default;
        }
        if (_position > end || length > end - _position)
        {
            throw Corrupt("key or value length");
        }
        _position += length;
        return _records.Slice(_position - length, length);
    }

    private int Length(int least)
    {
        long value = Long();
        return value >= least && value <= int.MaxValue ? (int)value : throw Corrupt("varint");
    }

    private long Long()
    {
        // Most varints of a record are one byte.
        if (_position < _records.Length && _records[_position] is var first and < 0x80)
        {
            _position++;
            return Varint.UnZigZag(first);
        }
        if (_position > _records.Length || !Varint.TryRead(_records[_position..], out long value, out int size))
        {
            throw Corrupt("varint");
        }
        _position += size;
        return value;
    }

    private readonly CorruptRecordException Corrupt(string what) =>
        new($"bad {what} in record {_read} of the batch at offset {_header.BaseOffset}, byte {_position} of its records");
}
