namespace LogPipeline.Sinks.Ledger;

/// <summary>Half-open byte ranges of one generation, sorted, disjoint and merged where they touch. Not thread-safe.</summary>
public sealed class StoredRanges
{
    private readonly List<FileRange> _ranges;

    public StoredRanges() => _ranges = [];

    /// <param name="ranges">Sorted and disjoint.</param>
    /// <exception cref="ArgumentException">They are not.</exception>
    public StoredRanges(IEnumerable<FileRange> ranges)
    {
        _ranges = [];
        long end = long.MinValue;
        foreach (FileRange range in ranges)
        {
            if (range.Begin >= range.End || range.Begin < end)
            {
                throw new ArgumentException($"stored ranges are out of order at {range.Begin}", nameof(ranges));
            }
            end = range.End;
            Add(range.Begin, range.End);
        }
    }

    public IReadOnlyList<FileRange> Ranges => _ranges;

    /// <summary>Bytes covered.</summary>
    public long Total
    {
        get
        {
            long total = 0L;
            foreach (FileRange range in _ranges)
            {
                total += range.End - range.Begin;
            }
            return total;
        }
    }

    /// <summary>Whether every byte of the range is stored.</summary>
    public bool Contains(long begin, long end)
    {
        int at = FirstEndingAfter(begin);
        return at < _ranges.Count && _ranges[at].Begin <= begin && end <= _ranges[at].End;
    }

    /// <summary>Whether any byte of the range is stored.</summary>
    public bool Overlaps(long begin, long end)
    {
        int at = FirstEndingAfter(begin);
        return at < _ranges.Count && _ranges[at].Begin < end;
    }

    /// <summary>Adds a range; false when a byte of it was there before.</summary>
    public bool Add(long begin, long end)
    {
        // Files are read forwards: nearly every range continues the last one.
        if (_ranges.Count > 0 && _ranges[^1].End == begin)
        {
            _ranges[^1] = new FileRange(_ranges[^1].Begin, end);
            return true;
        }
        int from = FirstEndingAfter(begin - 1);
        int to = from;
        bool fresh = !Overlaps(begin, end);
        for (; to < _ranges.Count && _ranges[to].Begin <= end; to++)
        {
            begin = Math.Min(begin, _ranges[to].Begin);
            end = Math.Max(end, _ranges[to].End);
        }
        _ranges.RemoveRange(from, to - from);
        _ranges.Insert(from, new FileRange(begin, end));
        return fresh;
    }

    /// <summary>Index of the first range whose end lies above <paramref name="position"/>.</summary>
    private int FirstEndingAfter(long position)
    {
        int low = 0;
        int high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_ranges[middle].End > position)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }
        return low;
    }
}

/// <summary>Bytes of a file from <paramref name="Begin"/> up to, not including, <paramref name="End"/>.</summary>
public readonly record struct FileRange(long Begin, long End);
