using System.Buffers.Binary;
using System.IO.Hashing;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records.Legacy;

/// <summary>
/// One message of format 0 or 1, as slices of the bytes it was read from; big-endian:
/// <code>
///  0 offset i64               12 crc u32 (CRC-32 of 16 to the end)   18 timestamp i64, format 1 alone
///  8 size i32                 16 magic i8 = the format               .. keyLength i32 (-1 null), key
///    (bytes after it)         17 attributes i8                       .. valueLength i32 (-1 null), value
/// </code>
/// Attributes: bits 0–2 codec, bit 3 (format 1) the timestamp is the broker's append time. Messages stand one behind the other. A
/// compressed one is a wrapper: null key, and a value that unpacks to messages of the same format, which are not compressed.
/// </summary>
public readonly ref struct LegacyMessage
{
    /// <summary>The bit of the attributes that says that the timestamp is the broker's append time.</summary>
    internal const byte LogAppendTime = 0x08;

    /// <summary>Where the bytes begin that size counts.</summary>
    internal const int SizeEnd = 12;

    /// <summary>Where the bytes begin that the CRC covers.</summary>
    internal const int CrcFrom = 16;

    private readonly byte _attributes;

    private LegacyMessage(ReadOnlySpan<byte> bytes)
    {
        SizeInBytes = bytes.Length;
        Offset = BinaryPrimitives.ReadInt64BigEndian(bytes);
        Magic = (sbyte)bytes[16];
        _attributes = bytes[17];
        Timestamp = Magic == 0 ? -1 : BinaryPrimitives.ReadInt64BigEndian(bytes[18..]);
        ReadOnlySpan<byte> rest = bytes[(HeaderSize(Magic) - 8)..];
        Key = Field(ref rest, Offset, out bool hasKey);
        Value = Field(ref rest, Offset, out bool hasValue);
        (HasKey, HasValue) = (hasKey, hasValue);
        if (!rest.IsEmpty)
        {
            throw new InvalidRecordException($"{rest.Length} bytes follow the value of the message at offset {Offset}");
        }
    }

    /// <summary>Bytes of the whole message, offset and size included.</summary>
    public int SizeInBytes { get; }

    /// <summary>As it is written; what it means in a wrapper, <see cref="MessageSetReader"/> knows.</summary>
    public long Offset { get; }

    /// <summary>The format: 0 or 1.</summary>
    public sbyte Magic { get; }

    /// <summary>Milliseconds since 1970; -1 when there is none.</summary>
    public long Timestamp { get; }

    public bool HasKey { get; }

    public bool HasValue { get; }

    public ReadOnlySpan<byte> Key { get; }

    public ReadOnlySpan<byte> Value { get; }

    public CompressionCodec Codec => (CompressionCodec)(_attributes & 0x07);

    public bool IsLogAppendTime => Magic > 0 && (_attributes & LogAppendTime) != 0;

    /// <summary>Reads the first message, with its CRC and all lengths checked.</summary>
    /// <exception cref="CorruptRecordException">Its CRC, its size or the length of a field is wrong.</exception>
    /// <exception cref="InvalidRecordException">It is of another format, it is cut, or bytes follow its value.</exception>
    public static LegacyMessage Read(ReadOnlySpan<byte> from)
    {
        int size = SizeOf(from, out sbyte magic);
        if (magic is not (0 or 1))
        {
            throw new InvalidRecordException($"a message of format {magic} among those of format 0 and 1");
        }
        if (size < HeaderSize(magic))
        {
            throw new CorruptRecordException($"a message of {size} bytes, where format {magic} takes {HeaderSize(magic)} at least");
        }
        ReadOnlySpan<byte> message = from[..size];
        return BinaryPrimitives.ReadUInt32BigEndian(message[SizeEnd..]) == Crc32.HashToUInt32(message[CrcFrom..])
            ? new LegacyMessage(message)
            : throw new CorruptRecordException($"the checksum of the message at offset {BinaryPrimitives.ReadInt64BigEndian(message)} is wrong");
    }

    /// <summary>The size of the first message, offset and size fields included, and its magic; all other bytes are left unread.</summary>
    internal static int SizeOf(ReadOnlySpan<byte> from, out sbyte magic)
    {
        long size = from.Length > CrcFrom ? BinaryPrimitives.ReadInt32BigEndian(from[8..]) + (long)SizeEnd : from.Length + 1L;
        if (size > from.Length)
        {
            throw new InvalidRecordException($"a message is cut: {from.Length} bytes are left");
        }
        magic = (sbyte)from[16];
        return size > CrcFrom ? (int)size : throw new CorruptRecordException($"a message of {size} bytes");
    }

    /// <summary>Bytes of a message with neither key nor value.</summary>
    internal static int HeaderSize(sbyte magic) => magic == 0 ? 26 : 34;

    private static ReadOnlySpan<byte> Field(scoped ref ReadOnlySpan<byte> rest, long offset, out bool isPresent)
    {
        int length = rest.Length < 4 ? int.MaxValue : BinaryPrimitives.ReadInt32BigEndian(rest);
        if (length < -1 || length > rest.Length - 4)
        {
            throw new CorruptRecordException($"the message at offset {offset} has a key or value of {length} bytes, which does not fit");
        }
        isPresent = length >= 0;
        ReadOnlySpan<byte> field = rest.Slice(4, Math.Max(length, 0));
        rest = rest[(4 + field.Length)..];
        return field;
    }
}
