using System.Buffers;
using System.Buffers.Binary;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Records;

/// <summary>
/// Builds one batch, then the next, in pooled buffers: appending a record copies its bytes once and allocates nothing. Not for
/// several threads.
/// </summary>
/// <remarks>
/// Record: <c>varint length | attributes 0 | varlong timestampDelta | varint offsetDelta | varint keyLength, key |
/// varint valueLength, value | varint headerCount, headers</c>; -1 is null, length counts what follows it.
/// </remarks>
public sealed class RecordBatchBuilder : IDisposable
{
    /// <summary>The most that a record's length, attributes, deltas, key and value lengths and header count take together.</summary>
    public const int RecordOverheadMax = 5 + 1 + 10 + 5 + 5 + 5 + 5;

    private readonly ICompressor _compressor;
    private readonly CompressionCodec _codec;
    private readonly int _bytesMax;
    private byte[] _plain;
    private byte[] _packed = [];
    private int _length = RecordBatch.HeaderSize;
    private long _baseTimestamp;
    private long _maxTimestamp;

    /// <param name="codec">How the records are compressed when the batch is built.</param>
    /// <param name="bytesMax">The most a batch may take before compression, in bytes; a first record always fits.</param>
    /// <param name="level">How hard the codec compresses, on its own scale; null for the fast choice of each.</param>
    public RecordBatchBuilder(CompressionCodec codec, int bytesMax, int? level = null)
    {
        _codec = codec;
        _compressor = Compressors.Create(codec, level);
        _bytesMax = bytesMax;
        _plain = ArrayPool<byte>.Shared.Rent(Math.Min(bytesMax, 1 << 16));
    }

    /// <summary>Records so far.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes so far, header included, not compressed.</summary>
    public int Size => _length;

    /// <summary>Whether records of so many bytes, overhead counted, fit; a first record always does.</summary>
    public bool HasRoom(int bytes) => Count == 0 || _length + (long)bytes <= _bytesMax;

    /// <summary>Appends a record without a key; false when it does not fit.</summary>
    public bool TryAppend(long timestampMs, ReadOnlySpan<byte> value, int headerCount = 0, ReadOnlySpan<byte> headers = default) =>
        TryAppend(timestampMs, hasKey: false, default, hasValue: true, value, headerCount, headers);

    /// <summary>Appends a record; false when it does not fit.</summary>
    /// <param name="timestampMs">Milliseconds since 1970.</param>
    /// <param name="hasKey">False for a null key.</param>
    /// <param name="key">The key's bytes.</param>
    /// <param name="hasValue">False for a null value.</param>
    /// <param name="value">The value's bytes.</param>
    /// <param name="headerCount">How many headers <paramref name="headers"/> holds.</param>
    /// <param name="headers">Headers encoded by <see cref="RecordHeaders"/>.</param>
    public bool TryAppend(
        long timestampMs, bool hasKey, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value, int headerCount, ReadOnlySpan<byte> headers)
    {
        if (Count == 0)
        {
            _baseTimestamp = _maxTimestamp = timestampMs;
        }
        long body = BodyOf(timestampMs, hasKey, key, hasValue, value, headerCount, headers);
        if (Count > 0 && _length + body + 5 > _bytesMax)
        {
            return false;
        }
        Write(body, timestampMs, hasKey, key, hasValue, value, headerCount, headers);
        return true;
    }

    /// <summary>Appends a record that belongs together with those before it, whatever its size.</summary>
    /// <inheritdoc cref="TryAppend(long, bool, ReadOnlySpan{byte}, bool, ReadOnlySpan{byte}, int, ReadOnlySpan{byte})"/>
    public void Append(
        long timestampMs, bool hasKey, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value, int headerCount, ReadOnlySpan<byte> headers)
    {
        if (Count == 0)
        {
            _baseTimestamp = _maxTimestamp = timestampMs;
        }
        Write(
            BodyOf(timestampMs, hasKey, key, hasValue, value, headerCount, headers), timestampMs, hasKey, key, hasValue, value, headerCount, headers);
    }

    private long BodyOf(
        long timestampMs, bool hasKey, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value, int headerCount, ReadOnlySpan<byte> headers) =>
        1L + Varint.Size(timestampMs - _baseTimestamp) + Varint.Size(Count) + Varint.Size(hasKey ? key.Length : -1) + key.Length
            + Varint.Size(hasValue ? value.Length : -1) + value.Length + Varint.Size(headerCount) + headers.Length;
    private void Write(
        long body, long timestampMs, bool hasKey, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value, int headerCount,
        ReadOnlySpan<byte> headers)
    {
        Reserve(checked(RecordOverheadMax + key.Length + value.Length + headers.Length));
        Span<byte> to = _plain.AsSpan(_length);
        int at = Varint.Write(to, body);
        to[at++] = 0;
        at += Varint.Write(to[at..], timestampMs - _baseTimestamp);
        at += Varint.Write(to[at..], Count);
        at += WriteBytes(to[at..], hasKey, key);
        at += WriteBytes(to[at..], hasValue, value);
        at += Varint.Write(to[at..], headerCount);
        headers.CopyTo(to[at..]);
        _length += at + headers.Length;
        _maxTimestamp = Math.Max(_maxTimestamp, timestampMs);
        Count++;
    }

    /// <summary>The whole batch, compressed and with its CRC; valid until the next call. Give the producer's fields or none.</summary>
    public Memory<byte> Build(long producerId = -1, short producerEpoch = -1, int baseSequence = -1, short extraAttributes = 0)
    {
        if (Count == 0)
        {
            throw new InvalidOperationException("a batch without records cannot be built");
        }
        int size = _length;
        byte[] batch = _plain;
        if (_codec != CompressionCodec.None)
        {
            size = _compressor.Compress(
                _plain.AsSpan(RecordBatch.HeaderSize, _length - RecordBatch.HeaderSize), ref _packed, RecordBatch.HeaderSize);
            batch = _packed;
        }
        WriteHeader(batch, size, (short)((short)_codec | extraAttributes));
        RecordBatch.SetProducer(batch.AsSpan(0, size), producerId, producerEpoch, baseSequence);
        return batch.AsMemory(0, size);
    }

    /// <summary>Starts the next batch.</summary>
    public void Reset()
    {
        _length = RecordBatch.HeaderSize;
        Count = 0;
    }

    public void Dispose()
    {
        PooledBytes.Return(ref _plain);
        PooledBytes.Return(ref _packed);
        _compressor.Dispose();
    }

    private void WriteHeader(Span<byte> batch, int size, short attributes)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, 0);
        BinaryPrimitives.WriteInt32BigEndian(batch[8..], size - RecordBatch.LengthEnd);
        BinaryPrimitives.WriteInt32BigEndian(batch[12..], -1);
        batch[16] = 2;
        BinaryPrimitives.WriteInt16BigEndian(batch[21..], attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch[23..], Count - 1);
        BinaryPrimitives.WriteInt64BigEndian(batch[27..], _baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch[35..], _maxTimestamp);
        BinaryPrimitives.WriteInt32BigEndian(batch[57..], Count);
    }

    private static int WriteBytes(Span<byte> to, bool present, ReadOnlySpan<byte> bytes)
    {
        int at = Varint.Write(to, present ? bytes.Length : -1);
        bytes.CopyTo(to[at..]);
        return at + bytes.Length;
    }

    private void Reserve(int size) => PooledBytes.Grow(ref _plain, checked(_length + size), keep: _length);
}
