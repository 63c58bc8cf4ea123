using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.Tests.Resending;

/// <summary>Records in words, so that those that were sent again can be held against the first ones.</summary>
internal static class RecordWords
{
    /// <summary>Each record that is marked again, or is not, in order: its topic, key, position, value and headers, and not that mark.</summary>
    public static List<string> Of(ScriptedBroker broker, bool again)
    {
        List<string> records = [];
        using var decoder = new BatchDecoder();
        foreach ((string topic, byte[] batch, BatchHeader header) in broker.Log)
        {
            var reader = new RecordReader(decoder.Records(batch, header), header);
            while (reader.Read())
            {
                if (!reader.TryGetHeader(PositionHeaders.Position, out ReadOnlySpan<byte> value) || !RecordPosition.TryRead(value, out RecordPosition position)
                    || position.Flags.HasFlag(PositionFlags.Again) != again)
                {
                    continue;
                }
                position = position with { Flags = position.Flags & ~PositionFlags.Again };
                string key = reader.HasKey ? Convert.ToHexString(reader.Key) : "-";
                records.Add($"{topic} {key} {position} {Convert.ToHexString(reader.Value)} {Convert.ToHexString(reader.Headers[..^RecordPosition.Size])}");
            }
        }
        return records;
    }
}
