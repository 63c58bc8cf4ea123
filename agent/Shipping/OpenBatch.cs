using LogPipeline.Agent.State;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.Shipping;

/// <summary>
/// The batch that a log's lines are added to, and what of which generation is in it. It has a builder only while it is not
/// empty, so that many idle logs cost nothing.
/// </summary>
internal sealed class OpenBatch(BatchBuilders builders)
{
    private readonly List<EntryRange> _ranges = [];
    private readonly Dictionary<ulong, int> _rangeOf = []; // a batch may hold a line each of thousands of files
    private RecordBatchBuilder? _builder;

    public bool IsEmpty => _ranges.Count == 0 && _builder is null or { Count: 0 };

    /// <summary>When its first record was added, in ticks of the time provider.</summary>
    public long Since { get; private set; }

    public RecordBatchBuilder Begin(long now)
    {
        if (_builder is null)
        {
            _builder = builders.Take();
            Since = now;
        }
        return _builder;
    }

    /// <summary>Notes that records up to <paramref name="end"/> were added, and which lines between them were left out.</summary>
    public void Cover(ulong generation, long begin, in Progress end, in Fingerprint tail, in OmittedLines omitted)
    {
        if (_rangeOf.TryGetValue(generation, out int last))
        {
            _ranges[last] = _ranges[last] with { End = end, Tail = tail, Omitted = _ranges[last].Omitted + omitted };
            return;
        }
        _rangeOf.Add(generation, _ranges.Count);
        _ranges.Add(new EntryRange(generation, begin, end, tail, default) { Omitted = omitted });
    }

    /// <summary>The encoded batch in pooled memory, which is the caller's to give back, or null where all lines were left out; goes on empty.</summary>
    public PooledBatch? Seal(long producerId, short producerEpoch, int sequence, out int count, out List<EntryRange> ranges)
    {
        RecordBatchBuilder builder = _builder!;
        count = builder.Count;
        ranges = [.. _ranges];
        PooledBatch? batch = count == 0 ? null : PooledBatch.CopyOf(builder.Build(producerId, producerEpoch, sequence).Span);
        _builder = null;
        _ranges.Clear();
        _rangeOf.Clear();
        builders.Give(builder);
        return batch;
    }
}
