using LogPipeline.Client;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.Shipping;

/// <summary>Reads a log back and collects the records that carry an agent's id.</summary>
internal static class LogScan
{
    /// <param name="leader">The log's leader.</param>
    /// <param name="from">First offset; moved up to the log's start.</param>
    /// <param name="to">Offset to stop before: a fence that is appended, so the log reaches at least there.</param>
    /// <param name="agentId">Whose records.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>What was found, and the offset that the reading began at: retention may have moved the log's start since it was asked for last.</returns>
    public static async Task<(FoundRanges Found, long Begin)> ReadAsync(PartitionLeader leader, long from, long to, Guid agentId, CancellationToken cancellation)
    {
        var found = new FoundRanges();
        long begin = Math.Max(from, (await leader.OffsetAsync(OffsetSpec.Earliest, cancellation)).Offset);
        long offset = begin;
        using var decoder = new BatchDecoder();
        while (offset < to)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlyMemory<byte> batches = await leader.FetchAsync(offset, cancellation);
            long next = Collect(batches.Span, offset, agentId, decoder, found);
            if (next == offset && !batches.IsEmpty)
            {
                throw new BrokerErrorException(ErrorCode.CorruptMessage, $"no whole batch at offset {offset}");
            }
            offset = next;
        }
        return (found, begin);
    }

    private static long Collect(ReadOnlySpan<byte> batches, long offset, Guid agentId, BatchDecoder decoder, FoundRanges found)
    {
        while (BatchHeader.TryParse(batches, out BatchHeader header) && header.SizeInBytes <= batches.Length)
        {
            ReadOnlySpan<byte> batch = batches[..header.SizeInBytes];
            batches = batches[header.SizeInBytes..];
            offset = Math.Max(offset, header.NextOffset);
            if (header.IsControl || !header.HasProducer)
            {
                continue;
            }
            try
            {
                Collect(decoder.Records(batch, header), header, agentId, found);
            }
            catch (Exception unreadable) when (unreadable is CorruptRecordException or UnsupportedCompressionException)
            {
                // Another's, perhaps; but a topic's compression.type may have repacked ours, so it is not passed over.
                throw new BrokerErrorException(
                    ErrorCode.CorruptMessage, $"the batch at offset {header.BaseOffset} cannot be read back: {unreadable.Message}");
            }
        }
        return offset;
    }

    private static void Collect(ReadOnlySpan<byte> records, in BatchHeader header, Guid agentId, FoundRanges found)
    {
        var reader = new RecordReader(records, header);
        while (reader.Read())
        {
            if (reader.TryGetHeader(PositionHeaders.Position, out ReadOnlySpan<byte> value)
                && RecordPosition.TryRead(value, out RecordPosition position)
                && position.AgentId == agentId)
            {
                found.Add(position, reader.Value);
            }
        }
    }
}
