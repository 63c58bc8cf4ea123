using System.Text;
using LogPipeline.Client;
using LogPipeline.Contract;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Rows;

/// <summary>What a stretch of record batches came to.</summary>
/// <param name="NextOffset">The offset after the last batch, holes and control records counted.</param>
/// <param name="LeaderEpoch">Of the last batch.</param>
/// <param name="Skipped">Control records and fences.</param>
/// <param name="Failure">Why it ends before the last batch; what precedes is collected.</param>
public readonly record struct Collected(long NextOffset, int LeaderEpoch, int Skipped, LogUnreadableException? Failure = null);

/// <summary>A stretch of a batch that is not made of records, though its checksum holds.</summary>
public readonly record struct UnreadableBatch(long Offset, long Timestamp, string Reason, byte[] Bytes);

/// <summary>The log holds a batch in a codec that is not built in, though others may be able to read it. Says where and what to do.</summary>
public sealed class LogUnreadableException(TopicPartition partition, long offset, Exception cause)
    : Exception($"{partition}: the batch at offset {offset} cannot be read: {cause.Message}", cause);

/// <summary>
/// Walks record batches as fetched and copies each line once, into a <see cref="RowBatch"/>. One owner: the worker's loop. Its
/// decoder's buffer is used again batch after batch.
/// </summary>
public sealed class RowCollector : IDisposable
{
    private readonly BatchDecoder _decoder = new();
    private readonly Dictionary<SourceKey, int> _sources = [];
    private RowBatch? _indexed;
    private SourceKey _lastKey;
    private int _lastSource = -1;

    /// <param name="batches">Whole batches, back to back.</param>
    /// <param name="from">Records below it are passed over: the first batch may begin earlier.</param>
    /// <param name="unreadable">Takes what could not be read.</param>
    /// <exception cref="CorruptRecordException">The bytes are not batches at all.</exception>
    public Collected Collect(TopicPartition partition, ReadOnlySpan<byte> batches, long from, RowBatch into, List<UnreadableBatch> unreadable)
    {
        Index(into);
        var result = new Collected(from, -1, 0);
        while (!batches.IsEmpty)
        {
            if (!BatchHeader.TryParse(batches, out BatchHeader header) || header.SizeInBytes > batches.Length)
            {
                throw new CorruptRecordException($"{partition}: what follows offset {result.NextOffset} is not a record batch");
            }
            ReadOnlySpan<byte> batch = batches[..header.SizeInBytes];
            batches = batches[header.SizeInBytes..];
            if (header.NextOffset <= from)
            {
                continue;
            }
            try
            {
                int skipped = header.IsControl ? header.RecordCount : CollectOne(partition.Topic, batch, header, from, into, unreadable);
                result = new Collected(header.NextOffset, header.LeaderEpoch, result.Skipped + skipped);
            }
            catch (UnsupportedCompressionException error)
            {
                return result with { Failure = new LogUnreadableException(partition, header.BaseOffset, error) };
            }
        }
        return result;
    }

    public void Dispose() => _decoder.Dispose();

    /// <summary>Gives the fences passed over.</summary>
    private int CollectOne(
        string topic, ReadOnlySpan<byte> batch, in BatchHeader header, long from, RowBatch into, List<UnreadableBatch> unreadable)
    {
        int fences = 0;
        long offset = Math.Max(from, header.BaseOffset);
        try
        {
            var reader = new RecordReader(_decoder.Records(batch, header), header);
            while (reader.Read())
            {
                if (reader.Offset < from)
                {
                    continue;
                }
                if (!Add(topic, ref reader, into))
                {
                    fences++;
                }
                offset = reader.Offset + 1;
            }
        }
        catch (CorruptRecordException error)
        {
            unreadable.Add(new UnreadableBatch(offset, header.BaseTimestamp, error.Message, batch.ToArray()));
        }
        return fences;
    }

    /// <summary>False when the record is a fence, which is no line.</summary>
    private bool Add(string topic, ref RecordReader reader, RowBatch into)
    {
        bool hasPosition = reader.TryGetHeader(PositionHeaders.Position, out ReadOnlySpan<byte> encoded);
        if (!hasPosition && reader.TryGetHeader(PositionHeaders.Fence, out _))
        {
            return false;
        }
        ref Row row = ref into.Add(reader.Value);
        row.Offset = reader.Offset;
        row.Timestamp = reader.Timestamp;
        row.Source = -1;
        if (!hasPosition || !RecordPosition.TryRead(encoded, out RecordPosition position))
        {
            return true;
        }
        row.Source = SourceIndex(topic, position, ref reader, into);
        row.LineBegin = position.LineBegin;
        row.CoveredBegin = position.CoveredBegin;
        row.CoveredEnd = position.End;
        row.Part = position.Part;
        row.Flags = position.Flags;
        row.FileSum = position.FileSum;
        return true;
    }

    private int SourceIndex(string topic, in RecordPosition position, ref RecordReader reader, RowBatch into)
    {
        // Neighbouring records nearly always come from one file.
        if (_lastSource >= 0 && position.Generation == _lastKey.Generation && position.AgentId == _lastKey.AgentId)
        {
            return _lastSource;
        }
        var key = new SourceKey(position.AgentId, position.Generation, topic);
        if (!_sources.TryGetValue(key, out int index))
        {
            reader.TryGetHeader(PositionHeaders.Host, out ReadOnlySpan<byte> host);
            reader.TryGetHeader(PositionHeaders.File, out ReadOnlySpan<byte> file);
            index = into.Sources.Count;
            into.Sources.Add(new Source(key, Text(host), Text(file)));
            _sources.Add(key, index);
        }
        (_lastKey, _lastSource) = (key, index);
        return index;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes).Replace('\0', '\u2400');

    /// <summary>Makes the lookup of sources that of this row batch.</summary>
    private void Index(RowBatch into)
    {
        if (ReferenceEquals(_indexed, into) && _sources.Count == into.Sources.Count && into.Count > 0)
        {
            return;
        }
        _indexed = into;
        _sources.Clear();
        _lastSource = -1;
        for (int i = 0; i < into.Sources.Count; i++)
        {
            _sources.Add(into.Sources[i].Key, i);
        }
    }
}
