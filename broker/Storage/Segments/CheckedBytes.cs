namespace LogPipeline.Storage.Segments;

/// <summary>
/// Which bytes of a segment may be served. Those that this process has written may; those that it found in the file may have changed while
/// nobody looked, so each is checked once before: by recovery, by a scrub, or when the first fetch reaches it. Checked means that every batch
/// was looked at, and that what is not sound is known as damage.
/// </summary>
/// <remarks>
/// <code>
///   0 ... checked ... not yet ... checked ... not yet ... end ......... size
///             found at the start, less what recovery read       no check needed
/// </code>
/// Any thread may call any member.
/// </remarks>
internal sealed class CheckedBytes
{
    private const int RangesMax = 16; // readers begin at a few places; of more, what one of them has read is checked again

    private readonly Lock _lock = new();
    private readonly List<Range> _ranges = []; // by position; no two touch
    private long _end; // 0 when nothing is left to check

    /// <param name="end">What lies before this position in the file was found there.</param>
    public CheckedBytes(long end) => _end = end;

    private readonly record struct Range(long From, long To, long NextOffset);

    /// <summary>To be held while bytes are checked, so that others who want the same bytes wait for one check.</summary>
    public Lock Checking { get; } = new();

    /// <summary>Whether nothing is left to check.</summary>
    public bool IsComplete => End == 0;

    /// <summary>What lies at or behind this position needs no check.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Whether all batches of a range may be served.</summary>
    public bool Cover(long from, long to)
    {
        if (from >= End)
        {
            return true;
        }
        lock (_lock)
        {
            int index = IndexOf(from);
            return from >= _end || (index >= 0 && _ranges[index].To >= Math.Min(to, _end));
        }
    }

    /// <summary>Where a check for a position can go on: the end of what is checked around or right before it; null when nothing is.</summary>
    /// <returns>A batch border, and the offset that follows there.</returns>
    public (long Position, long NextOffset)? CheckedTo(long position)
    {
        lock (_lock)
        {
            return IndexOf(position) is >= 0 and int index ? (_ranges[index].To, _ranges[index].NextOffset) : null;
        }
    }

    /// <summary>Notes that all batches between two borders were checked.</summary>
    /// <param name="from">Where the first begins.</param>
    /// <param name="to">Where the last ends.</param>
    /// <param name="nextOffset">The offset behind the last.</param>
    public void Add(long from, long to, long nextOffset)
    {
        lock (_lock)
        {
            if (from >= _end || from >= to)
            {
                return;
            }
            Range all = new(from, to, nextOffset);
            foreach (Range range in _ranges.Where(range => range.From <= to && range.To >= from))
            {
                all = new Range(Math.Min(all.From, range.From), Math.Max(all.To, range.To), range.To > all.To ? range.NextOffset : all.NextOffset);
            }
            _ranges.RemoveAll(range => range.From <= to && range.To >= from);
            if (_ranges.Count == RangesMax)
            {
                _ranges.Remove(_ranges.MinBy(static range => range.To - range.From));
            }
            _ranges.Insert(_ranges.FindLastIndex(range => range.From < all.From) + 1, all);
            if (all.From == 0 && all.To >= _end)
            {
                Complete();
            }
        }
    }

    /// <summary>What lies at or behind a position needs no check any more: recovery has read it, or it was cut off.</summary>
    public void EndAt(long position)
    {
        lock (_lock)
        {
            _ranges.RemoveAll(range => range.To > position);
            if (position < _end)
            {
                Volatile.Write(ref _end, position);
            }
            if (_end == 0 || (_ranges is [{ From: 0 } first, ..] && first.To >= _end))
            {
                Complete();
            }
        }
    }

    private void Complete()
    {
        Volatile.Write(ref _end, 0);
        _ranges.Clear();
    }

    // The range that holds a position or ends there; -1 when there is none.
    private int IndexOf(long position)
    {
        int index = _ranges.FindLastIndex(range => range.From <= position);
        return index >= 0 && _ranges[index].To >= position ? index : -1;
    }
}
