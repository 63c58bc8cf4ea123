using LogPipeline.Agent.State;
using LogPipeline.Contract;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.Shipping;

/// <summary>What becomes of a record when its batch is made anew.</summary>
internal enum RecordFate
{
    Keep,

    /// <summary>Keep it, marked <see cref="PositionFlags.Again"/>.</summary>
    MarkAgain,

    /// <summary>Keep it with another time, marked <see cref="PositionFlags.TimestampClamped"/>.</summary>
    Restamp,

    Drop,
}

/// <summary>
/// Makes a batch anew from an encoded one: record by record the same bytes, some marked or left out. The producer fields are
/// empty; the sender stamps them.
/// </summary>
internal static class ReEncoder
{
    /// <param name="batch">A whole encoded batch.</param>
    /// <param name="codec">How to compress the new one.</param>
    /// <param name="timestamp">The time that restamped records get.</param>
    /// <param name="fate">Asked with each record's index and position.</param>
    /// <returns>The new batch and its count; empty and 0 when no record is left.</returns>
    public static (byte[] Batch, int Count) Apply(
        ReadOnlySpan<byte> batch, CompressionCodec codec, long timestamp, Func<int, RecordPosition, RecordFate> fate)
    {
        BatchHeader header = HeaderOf(batch);
        using var decoder = new BatchDecoder();
        ReadOnlySpan<byte> records = decoder.Records(batch, header);
        // Time and offset deltas may take a few bytes more than before.
        using var builder = new RecordBatchBuilder(codec, records.Length + (16 * header.RecordCount) + 1024);
        var reader = new RecordReader(records, header);
        for (int index = 0; reader.Read(); index++)
        {
            RecordFate chosen = fate(index, PositionOf(ref reader));
            if (chosen == RecordFate.Drop)
            {
                continue;
            }
            PositionFlags mark = chosen switch
            {
                RecordFate.MarkAgain => PositionFlags.Again,
                RecordFate.Restamp => PositionFlags.TimestampClamped,
                _ => PositionFlags.None,
            };
            // The position is the last header's value, so its flags stand at a fixed distance from the end.
            byte[] headers = reader.Headers.ToArray();
            headers[^(RecordPosition.Size - RecordPosition.FlagsOffset)] |= (byte)mark;
            long time = chosen == RecordFate.Restamp ? timestamp : reader.Timestamp;
            if (!builder.TryAppend(time, reader.HasKey, reader.Key, reader.HasValue, reader.Value, reader.HeaderCount, headers))
            {
                throw new InvalidOperationException("a batch made anew of the same records was full");
            }
        }
        return builder.Count == 0 ? ([], 0) : (builder.Build().ToArray(), builder.Count);
    }

    /// <summary>Two batches of half the records each, for a broker that refuses the whole.</summary>
    public static ((byte[] Batch, int Count) First, (byte[] Batch, int Count) Second) Halve(ReadOnlySpan<byte> batch, int count, CompressionCodec codec)
    {
        int half = count / 2;
        return (
            Apply(batch, codec, 0, (i, _) => i < half ? RecordFate.Keep : RecordFate.Drop),
            Apply(batch, codec, 0, (i, _) => i < half ? RecordFate.Drop : RecordFate.Keep));
    }

    /// <summary>The time of each record of a batch.</summary>
    public static List<long> TimesOf(ReadOnlySpan<byte> batch)
    {
        BatchHeader header = HeaderOf(batch);
        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(batch, header), header);
        List<long> times = [];
        while (reader.Read())
        {
            times.Add(reader.Timestamp);
        }
        return times;
    }

    /// <summary>Calls back with each record of a batch.</summary>
    public static void Visit(ReadOnlySpan<byte> batch, Action<RecordPosition, ReadOnlySpan<byte>> visit)
    {
        BatchHeader header = HeaderOf(batch);
        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(batch, header), header);
        while (reader.Read())
        {
            visit(PositionOf(ref reader), reader.Value);
        }
    }

    private static BatchHeader HeaderOf(ReadOnlySpan<byte> batch) =>
        BatchHeader.TryParse(batch, out BatchHeader header)
            ? header
            : throw new StateDamagedException("an in-flight entry holds no record batch");

    private static RecordPosition PositionOf(ref RecordReader reader) =>
        reader.TryGetHeader(PositionHeaders.Position, out ReadOnlySpan<byte> value) && RecordPosition.TryRead(value, out RecordPosition position)
            ? position
            : throw new StateDamagedException("a record of an in-flight entry has no position");
}
