using System.Buffers;
using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Files;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>A record that is a row of some file.</summary>
/// <param name="Log">Where it is from.</param>
/// <param name="Path">The file's, below the sink's directory.</param>
/// <param name="Offset">In the log.</param>
/// <param name="Source">The file that its line came from; null where that is not known.</param>
/// <param name="LineBegin">Its place there.</param>
/// <param name="IsAgain">Whether it was sent again: it may be stored under another offset, which the topic lost.</param>
internal readonly record struct ExpectedRow(PinnedLog Log, string Path, long Offset, Source? Source, long LineBegin, bool IsAgain);

/// <summary>
/// One walk over the topic's records in which they are rendered as the sink rendered them. What was sent again and is stored is left out, by the
/// same rule as the sink's.
/// </summary>
internal sealed class ExpectedRows(TopicSide topic, string sink, string clusterId)
{
    private readonly Dictionary<SourceKey, StoredRanges> _seen = [];
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<ulong> _lines = [];

    /// <summary>Records that the sink's filter left out.</summary>
    public long Unwanted { get; private set; }

    /// <summary>Takes a row and the hashes of its lines.</summary>
    public delegate void Visitor(in ExpectedRow row, OutputForm form, IReadOnlyList<ulong> lines);

    /// <param name="part">What is walked.</param>
    /// <param name="record">Called with each record first, whether it is a row or not.</param>
    /// <param name="visit">Called with each row.</param>
    /// <param name="cancellation">Ends it.</param>
    public Task WalkAsync(OutputPart part, Action<RowBatch, int>? record, Visitor visit, CancellationToken cancellation)
    {
        PinnedLog log = part.Log;
        var identity = new LogIdentity(sink, clusterId, log.TopicId, log.Topic, log.Partition);
        return topic.WalkAsync(log.TopicPartition, part.From, part.To, records =>
        {
            records.Parse(part.Form.Parser);
            part.Form.Filter?.Apply(records);
            var paths = new RowPaths(part.Form.Paths, identity, records, part.Form.NameVersion);
            for (int i = 0; i < records.Count && records.Rows[i].Offset < part.To; i++)
            {
                record?.Invoke(records, i);
                ref readonly Row row = ref records.Rows[i];
                if (IsStored(records, row))
                {
                    continue;
                }
                if (row.State == RowState.Unwanted)
                {
                    Unwanted++;
                    continue;
                }
                _bytes.ResetWrittenCount();
                _lines.Clear();
                part.Form.Format.Write(_bytes, identity, records, i);
                LineHashes.OfRow(_bytes.WrittenSpan, _lines);
                Source? source = row.Source >= 0 ? records.Sources[row.Source] : null;
                visit(new ExpectedRow(log, paths.Of(row), row.Offset, source, row.LineBegin, (row.Flags & PositionFlags.Again) != 0), part.Form, _lines);
            }
            return default;
        }, cancellation);
    }

    /// <summary>Whether the record was sent again and a row of an earlier one has its range; otherwise the range is noted.</summary>
    private bool IsStored(RowBatch records, in Row row)
    {
        if (row.Source < 0)
        {
            return false;
        }
        SourceKey key = records.Sources[row.Source].Key;
        if (!_seen.TryGetValue(key, out StoredRanges? seen))
        {
            _seen.Add(key, seen = new StoredRanges());
        }
        if ((row.Flags & PositionFlags.Again) != 0 && seen.Contains(row.CoveredBegin, row.CoveredEnd))
        {
            return true;
        }
        seen.Add(row.CoveredBegin, row.CoveredEnd);
        return false;
    }
}
