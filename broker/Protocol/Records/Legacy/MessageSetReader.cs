using System.Buffers.Binary;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records.Legacy;

/// <summary>
/// Walks the messages of a set as slices, out of their wrapper if they are in one: <c>while (reader.Read()) …</c>. Every message's CRC
/// and lengths are checked. <see cref="MessageSetDecoder"/> makes it.
/// </summary>
public ref struct MessageSetReader
{
    private readonly bool _isWrapped;
    private readonly long _shift; // what the offsets inside a wrapper are short of the log's
    private readonly long? _appendTime;
    private ReadOnlySpan<byte> _rest;
    private LegacyMessage _message;

    /// <param name="messages">Messages that are not compressed.</param>
    internal MessageSetReader(ReadOnlySpan<byte> messages)
    {
        _rest = messages;
        LegacyMessage.SizeOf(messages, out sbyte magic);
        Magic = magic;
    }

    /// <param name="messages">What the wrapper unpacks to.</param>
    /// <param name="wrapper">The message that they came in.</param>
    internal MessageSetReader(ReadOnlySpan<byte> messages, LegacyMessage wrapper)
    {
        _rest = messages;
        (Magic, Codec, _isWrapped) = (wrapper.Magic, wrapper.Codec, true);
        _appendTime = wrapper.IsLogAppendTime ? wrapper.Timestamp : null;
        if (Magic > 0 && wrapper.Offset != 0)
        {
            // The wrapper has the last one's offset in the log. One of 0 is a producer's that says nothing.
            long last = LastOffset(messages);
            _shift = wrapper.Offset >= last ? wrapper.Offset - last : throw new InvalidRecordException(
                $"a wrapper of offset {wrapper.Offset}, whose last message has offset {last}");
        }
    }

    /// <summary>The format of all messages: 0 or 1.</summary>
    public sbyte Magic { get; }

    /// <summary>The wrapper's codec.</summary>
    public CompressionCodec Codec { get; }

    /// <summary>The message, offset and timestamp as they are written.</summary>
    public readonly LegacyMessage Message => _message;

    /// <summary>The message's offset in the log; without a meaning where a producer sent it.</summary>
    public readonly long Offset => _message.Offset + _shift;

    /// <summary>Milliseconds since 1970; -1 when there is none.</summary>
    public readonly long Timestamp => _appendTime ?? _message.Timestamp;

    /// <summary>Goes to the next message; false after the last.</summary>
    /// <exception cref="CorruptRecordException">A CRC, a size or the length of a field is wrong.</exception>
    /// <exception cref="InvalidRecordException">A message is of another format, compressed inside a wrapper or beside others, or cut.</exception>
    public bool Read()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }
        _message = LegacyMessage.Read(_rest);
        if (_message.Magic != Magic)
        {
            throw new InvalidRecordException($"a message of format {_message.Magic} in a set of format {Magic}");
        }
        if (_message.Codec != CompressionCodec.None)
        {
            throw new InvalidRecordException(_isWrapped ? "a compressed message inside a compressed one" : "a compressed message beside others");
        }
        _rest = _rest[_message.SizeInBytes..];
        return true;
    }

    private static long LastOffset(ReadOnlySpan<byte> messages)
    {
        while (true)
        {
            int size = LegacyMessage.SizeOf(messages, out _);
            if (size == messages.Length)
            {
                return BinaryPrimitives.ReadInt64BigEndian(messages);
            }
            messages = messages[size..];
        }
    }
}
