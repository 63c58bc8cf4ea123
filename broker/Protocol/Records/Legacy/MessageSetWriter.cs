using System.Buffers.Binary;
using System.IO.Hashing;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records.Legacy;

/// <summary>Writes messages of format 0 or 1, one behind the other, into a pooled buffer. The layout is drawn at <see cref="LegacyMessage"/>.</summary>
internal sealed class MessageSetWriter : IDisposable
{
    private byte[] _buffer = [];

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, Length);

    /// <summary>Bytes that a message takes.</summary>
    public static long SizeOf(sbyte magic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => (long)LegacyMessage.HeaderSize(magic) + key.Length + value.Length;

    /// <summary>Appends a message that is not compressed.</summary>
    public void Append(sbyte magic, long offset, long timestamp, bool isLogAppendTime, in RecordReader record)
    {
        int size = checked((int)SizeOf(magic, record.Key, record.Value));
        PooledBytes.Grow(ref _buffer, checked(Length + size), keep: Length);
        Span<byte> to = _buffer.AsSpan(Length, size);
        int at = Head(to, magic, timestamp, isLogAppendTime ? LegacyMessage.LogAppendTime : (byte)0);
        at += Field(to[at..], record.HasKey, record.Key);
        Field(to[at..], record.HasValue, record.Value);
        Seal(to, offset);
        Length += size;
    }

    /// <summary>Appends a wrapper around messages.</summary>
    /// <param name="magic">The format.</param>
    /// <param name="offset">That of the last message in it.</param>
    /// <param name="timestamp">The largest of the messages, or their append time.</param>
    /// <param name="isLogAppendTime">Whether it is their append time.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="compressor">For the codec.</param>
    /// <param name="codec">The codec.</param>
    public void AppendWrapper(
        sbyte magic, long offset, long timestamp, bool isLogAppendTime, ReadOnlySpan<byte> messages, ICompressor compressor, CompressionCodec codec)
    {
        int headerSize = LegacyMessage.HeaderSize(magic);
        int end = compressor.Compress(messages, ref _buffer, checked(Length + headerSize));
        Span<byte> to = _buffer.AsSpan(Length, end - Length);
        int at = Head(to, magic, timestamp, (byte)((byte)codec | (isLogAppendTime ? LegacyMessage.LogAppendTime : 0)));
        at += Field(to[at..], isPresent: false, default);
        BinaryPrimitives.WriteInt32BigEndian(to[at..], to.Length - headerSize);
        Seal(to, offset);
        Length = end;
    }

    /// <summary>Forgets what was written.</summary>
    public void Clear() => Length = 0;

    /// <summary>Forgets what was written beyond a length.</summary>
    public void CutTo(int length) => Length = length;

    /// <summary>Hands the buffer over; the writer begins anew.</summary>
    public PooledRecords Take()
    {
        var records = new PooledRecords(_buffer, Length);
        (_buffer, Length) = ([], 0);
        return records;
    }

    public void Dispose() => PooledBytes.Return(ref _buffer);

    // Magic, attributes and timestamp; returns where the key's length goes.
    private static int Head(Span<byte> to, sbyte magic, long timestamp, byte attributes)
    {
        to[16] = (byte)magic;
        if (magic == 0)
        {
            to[17] = (byte)(attributes & ~LegacyMessage.LogAppendTime);
            return 18;
        }
        to[17] = attributes;
        BinaryPrimitives.WriteInt64BigEndian(to[18..], timestamp);
        return 26;
    }

    private static int Field(Span<byte> to, bool isPresent, ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, isPresent ? field.Length : -1);
        field.CopyTo(to[4..]);
        return 4 + field.Length;
    }

    private static void Seal(Span<byte> message, long offset)
    {
        BinaryPrimitives.WriteInt64BigEndian(message, offset);
        BinaryPrimitives.WriteInt32BigEndian(message[8..], message.Length - LegacyMessage.SizeEnd);
        BinaryPrimitives.WriteUInt32BigEndian(message[LegacyMessage.SizeEnd..], Crc32.HashToUInt32(message[LegacyMessage.CrcFrom..]));
    }
}
