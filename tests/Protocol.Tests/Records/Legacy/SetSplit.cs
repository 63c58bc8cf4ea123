using System.Buffers.Binary;
using System.Text;
using LogPipeline.Protocol.Records.Legacy;

namespace LogPipeline.Protocol.Tests.Records.Legacy;

/// <summary>A message as a client sees it; null where the key or value is.</summary>
internal sealed record Seen(long Offset, long Timestamp, string? Key, string? Value);

/// <summary>Takes apart what a client of format 0 or 1 is sent, as it does: entry by entry, each a message or a wrapper.</summary>
internal static class SetSplit
{
    /// <summary>All messages of a set.</summary>
    public static List<Seen> Messages(ReadOnlySpan<byte> set)
    {
        var seen = new List<Seen>();
        using var decoder = new MessageSetDecoder();
        foreach (byte[] entry in Entries(set))
        {
            MessageSetReader messages = decoder.Open(entry, 64 << 20);
            while (messages.Read())
            {
                seen.Add(new Seen(
                    messages.Offset,
                    messages.Timestamp,
                    messages.Message.HasKey ? Encoding.Latin1.GetString(messages.Message.Key) : null,
                    messages.Message.HasValue ? Encoding.Latin1.GetString(messages.Message.Value) : null));
            }
        }
        return seen;
    }

    /// <summary>The messages and wrappers of a set, one by one.</summary>
    public static List<byte[]> Entries(ReadOnlySpan<byte> set)
    {
        var entries = new List<byte[]>();
        while (!set.IsEmpty)
        {
            int size = BinaryPrimitives.ReadInt32BigEndian(set[8..]) + 12;
            entries.Add(set[..size].ToArray());
            set = set[size..];
        }
        return entries;
    }
}
