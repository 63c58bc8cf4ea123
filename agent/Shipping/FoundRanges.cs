using LogPipeline.Contract;

namespace LogPipeline.Agent.Shipping;

/// <summary>What reading a log back has found of this agent: per generation, the records by where they end.</summary>
internal sealed class FoundRanges
{
    private readonly Dictionary<ulong, SortedDictionary<long, FoundRecord>> _byGeneration = [];

    public void Add(RecordPosition position, ReadOnlySpan<byte> value)
    {
        if (!_byGeneration.TryGetValue(position.Generation, out SortedDictionary<long, FoundRecord>? records))
        {
            _byGeneration[position.Generation] = records = [];
        }
        records[position.End] = new FoundRecord(position, value.Length, RecordSum.Term(position.End, value));
    }

    public bool Contains(in RecordPosition position) =>
        _byGeneration.TryGetValue(position.Generation, out SortedDictionary<long, FoundRecord>? records)
        && records.TryGetValue(position.End, out FoundRecord found)
        && found.Position.CoveredBegin <= position.CoveredBegin;

    /// <summary>The records of a generation that follow a position without a hole.</summary>
    public IEnumerable<FoundRecord> After(ulong generation, long position)
    {
        if (!_byGeneration.TryGetValue(generation, out SortedDictionary<long, FoundRecord>? records))
        {
            yield break;
        }
        foreach (FoundRecord record in records.Values)
        {
            if (record.Position.End <= position)
            {
                continue;
            }
            if (record.Position.CoveredBegin != position)
            {
                yield break;
            }
            yield return record;
            position = record.Position.End;
        }
    }
}

internal readonly record struct FoundRecord(RecordPosition Position, int ValueLength, ulong SumTerm);
