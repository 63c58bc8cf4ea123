using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using LogPipeline.Protocol.Records.Legacy;

namespace LogPipeline.Testing.Records;

/// <summary>Message sets of format 0 and 1, as old producers send them and old consumers are sent them.</summary>
public static class OldMessages
{
    public const long Time = 1_767_225_600_000;

    public static byte[] Message(int magic, string? key, string? value, long offset = 0, byte attributes = 0) =>
        Message(magic, key is null ? null : Encoding.Latin1.GetBytes(key), value is null ? null : Encoding.Latin1.GetBytes(value), offset, attributes);

    /// <summary>The messages in a gzip wrapper.</summary>
    public static byte[] Wrapper(int magic, params byte[][] messages)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            foreach (byte[] message in messages)
            {
                gzip.Write(message);
            }
        }
        return Message(magic, null, packed.ToArray(), 0, attributes: 1);
    }

    /// <summary>What a consumer sees in what it was sent: offset, timestamp, key and value of each message.</summary>
    public static List<(long Offset, long Timestamp, string? Key, string? Value)> Read(ReadOnlyMemory<byte> set)
    {
        var seen = new List<(long, long, string?, string?)>();
        using var decoder = new MessageSetDecoder();
        foreach (byte[] entry in Entries(set))
        {
            MessageSetReader messages = decoder.Open(entry, 64 << 20);
            while (messages.Read())
            {
                LegacyMessage message = messages.Message;
                seen.Add((
                    messages.Offset,
                    messages.Timestamp,
                    message.HasKey ? Encoding.Latin1.GetString(message.Key) : null,
                    message.HasValue ? Encoding.Latin1.GetString(message.Value) : null));
            }
        }
        return seen;
    }

    /// <summary>Messages and wrappers, one by one; nothing may be left over.</summary>
    public static List<byte[]> Entries(ReadOnlyMemory<byte> set)
    {
        var entries = new List<byte[]>();
        while (!set.IsEmpty)
        {
            int size = BinaryPrimitives.ReadInt32BigEndian(set.Span[8..]) + 12;
            entries.Add(set[..size].ToArray());
            set = set[size..];
        }
        return entries;
    }

    private static byte[] Message(int magic, byte[]? key, byte[]? value, long offset, byte attributes)
    {
        byte[] bytes = new byte[(magic == 0 ? 26 : 34) + (key?.Length ?? 0) + (value?.Length ?? 0)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, offset);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), bytes.Length - 12);
        bytes[16] = (byte)magic;
        bytes[17] = attributes;
        int at = 18;
        if (magic == 1)
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(18), Time);
            at = 26;
        }
        foreach (byte[]? field in (byte[]?[])[key, value])
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), field?.Length ?? -1);
            field?.CopyTo(bytes, at + 4);
            at += 4 + (field?.Length ?? 0);
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), Crc32.HashToUInt32(bytes.AsSpan(16)));
        return bytes;
    }
}
