using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records.Legacy;

/// <summary>Makes message sets of format 0 or 1 of record batches, for clients that know no other. Not for several threads.</summary>
/// <remarks>
/// Offsets and codec stay. Headers and producer are left out, as the formats have none, and so are control batches. A compressed batch is
/// converted whole: into one wrapper, or several if it is long, so that memory stays small. Of one that is not compressed the
/// records before the offset asked for are left out.
/// </remarks>
public sealed class DownConverter : IDisposable
{
    /// <summary>A wrapper is closed once its messages take so many bytes.</summary>
    private const int WrapperBytes = 1 << 20;

    private readonly BatchDecoder _decoder = new();
    private readonly MessageSetWriter _inner = new();
    private readonly MessageSetWriter _output = new();
    private readonly Dictionary<(CompressionCodec Codec, bool OfFormat0), ICompressor> _compressors = [];

    /// <summary>Bytes of messages converted and not yet taken.</summary>
    public int Length => _output.Length;

    /// <summary>Converts one batch and appends its messages to what was converted before.</summary>
    /// <param name="batch">The whole batch; its CRC is taken as checked.</param>
    /// <param name="header">Its header.</param>
    /// <param name="magic">The format to make: 0 or 1.</param>
    /// <param name="fromOffset">The offset asked for.</param>
    /// <param name="bytesMax">
    /// How much may be converted in all. The first message or wrapper is converted whatever its size, so that a reader gets on.
    /// </param>
    /// <param name="plainBytesMax">The most that the batch may unpack to.</param>
    /// <returns>Whether all of the batch is converted; if not, the limit is reached.</returns>
    /// <exception cref="CorruptRecordException">The batch contradicts itself, or unpacks to more.</exception>
    /// <exception cref="UnsupportedCompressionException">Its codec is zstd, which neither format has, or none at all.</exception>
    public bool TryAppend(ReadOnlySpan<byte> batch, in BatchHeader header, sbyte magic, long fromOffset, int bytesMax, int plainBytesMax)
    {
        if (header.IsControl || header.RecordCount == 0)
        {
            return true;
        }
        if (header.Codec > CompressionCodec.Lz4)
        {
            throw new UnsupportedCompressionException($"format {magic} has no codec {(int)header.Codec}: there are none, gzip, snappy and lz4");
        }
        var records = new RecordReader(_decoder.Records(batch, in header, plainBytesMax), in header);
        return header.Codec == CompressionCodec.None
            ? TryAppendPlain(records, in header, magic, fromOffset, bytesMax)
            : TryAppendWrapped(records, in header, magic, bytesMax);
    }

    /// <summary>Hands over what was converted since the last call.</summary>
    public PooledRecords Take() => _output.Take();

    public void Dispose()
    {
        _decoder.Dispose();
        _inner.Dispose();
        _output.Dispose();
        foreach (ICompressor compressor in _compressors.Values)
        {
            compressor.Dispose();
        }
    }

    private bool TryAppendPlain(RecordReader records, in BatchHeader header, sbyte magic, long fromOffset, int bytesMax)
    {
        while (records.Read())
        {
            if (records.Offset < fromOffset)
            {
                continue;
            }
            if (_output.Length > 0 && _output.Length + MessageSetWriter.SizeOf(magic, records.Key, records.Value) > bytesMax)
            {
                return false;
            }
            _output.Append(magic, records.Offset, records.Timestamp, header.IsLogAppendTime, in records);
        }
        return true;
    }

    private bool TryAppendWrapped(RecordReader records, in BatchHeader header, sbyte magic, int bytesMax)
    {
        int before = _output.Length;
        _inner.Clear();
        long first = 0;
        long last = 0;
        long largest = long.MinValue;
        while (records.Read())
        {
            if (_inner.Length >= WrapperBytes)
            {
                AppendWrapper(in header, magic, last, largest);
                largest = long.MinValue;
            }
            if (_inner.Length == 0)
            {
                first = records.Offset;
            }
            last = records.Offset;
            largest = Math.Max(largest, records.Timestamp);
            _inner.Append(magic, magic == 0 ? last : last - first, records.Timestamp, header.IsLogAppendTime, in records);
        }
        AppendWrapper(in header, magic, last, largest);
        if (before > 0 && _output.Length > bytesMax)
        {
            _output.CutTo(before);
            return false;
        }
        return true;
    }

    private void AppendWrapper(in BatchHeader header, sbyte magic, long lastOffset, long timestamp)
    {
        (CompressionCodec Codec, bool OfFormat0) key = (header.Codec, magic == 0);
        if (!_compressors.TryGetValue(key, out ICompressor? compressor))
        {
            compressor = Compressors.Create(header.Codec, level: null, key.OfFormat0);
            _compressors.Add(key, compressor);
        }
        _output.AppendWrapper(magic, lastOffset, timestamp, header.IsLogAppendTime, _inner.Bytes, compressor, header.Codec);
        _inner.Clear();
    }
}
