using LogPipeline.Storage;

namespace LogPipeline.Broker.Maintenance;

/// <summary>A log that the budget may shorten.</summary>
/// <param name="Log">Which one.</param>
/// <param name="Segments">Its segments in offset order; looked at only as far as they may go.</param>
/// <param name="HighWatermark">Nothing beyond it goes.</param>
internal readonly record struct BudgetedLog<T>(T Log, IEnumerable<SegmentInfo> Segments, long HighWatermark);

/// <summary>What the budget takes from one log.</summary>
/// <param name="Log">Which one.</param>
/// <param name="FirstKept">The offset from which it is kept.</param>
/// <param name="Bytes">How much that frees.</param>
internal readonly record struct BudgetCut<T>(T Log, long FirstKept, long Bytes);

/// <summary>
/// What goes when all logs together are larger than their budget: the oldest closed segment of any log, then the next oldest, until
/// nine tenths of the budget are left, so that not every new segment costs a round. A log loses its segments in offset order. When no
/// closed segment is left the largest active one goes, and so on, until the budget holds. It decides and touches nothing.
/// </summary>
internal static class BudgetRule
{
    /// <summary>Returns what to take from which log; nothing while the budget holds.</summary>
    /// <param name="logs">The logs that may be shortened.</param>
    /// <param name="totalBytes">Bytes of all logs, those that may not be shortened too.</param>
    /// <param name="budgetBytes">How many there may be.</param>
    public static IReadOnlyList<BudgetCut<T>> Choose<T>(IEnumerable<BudgetedLog<T>> logs, long totalBytes, long budgetBytes)
    {
        if (totalBytes <= budgetBytes)
        {
            return [];
        }
        List<Cutting<T>> cuttings = [.. logs.Select(static log => new Cutting<T>(log))];
        long left = TakeClosed(cuttings, totalBytes, budgetBytes - (budgetBytes / 10));
        foreach (Cutting<T> cutting in cuttings
            .Where(static cutting => cutting.Next is { IsActive: true })
            .OrderByDescending(static cutting => cutting.Next!.Value.SizeBytes))
        {
            if (left <= budgetBytes)
            {
                break;
            }
            left -= cutting.Take();
        }
        return [.. cuttings.Where(static cutting => cutting.Bytes > 0).Select(static cutting => cutting.Cut)];
    }

    // Returns the bytes that are left; above the target only when no closed segment may go any more.
    private static long TakeClosed<T>(List<Cutting<T>> cuttings, long left, long target)
    {
        var oldest = new PriorityQueue<Cutting<T>, (long Time, int Log)>();
        for (int i = 0; i < cuttings.Count; i++)
        {
            Offer(i);
        }
        while (left > target && oldest.TryDequeue(out Cutting<T>? cutting, out (long Time, int Log) place))
        {
            left -= cutting.Take();
            Offer(place.Log);
        }
        return left;

        void Offer(int log)
        {
            if (cuttings[log].Next is { IsActive: false } segment)
            {
                oldest.Enqueue(cuttings[log], (segment.Time, log));
            }
        }
    }

    // One log's segments, from the first one on.
    private sealed class Cutting<T>
    {
        private readonly BudgetedLog<T> _log;
        private readonly IEnumerator<SegmentInfo> _segments;
        private long _firstKept;

        public Cutting(BudgetedLog<T> log)
        {
            (_log, _segments) = (log, log.Segments.GetEnumerator());
            Advance();
        }

        /// <summary>The segment that goes next; null when none may.</summary>
        public SegmentInfo? Next { get; private set; }

        public long Bytes { get; private set; }

        public BudgetCut<T> Cut => new(_log.Log, _firstKept, Bytes);

        /// <summary>Takes the next segment; returns its size.</summary>
        public long Take()
        {
            SegmentInfo taken = Next!.Value;
            _firstKept = taken.EndOffset;
            Bytes += taken.SizeBytes;
            Advance();
            return taken.SizeBytes;
        }

        private void Advance() =>
            Next = _segments.MoveNext() && _segments.Current is { SizeBytes: > 0 } segment && segment.EndOffset <= _log.HighWatermark ? segment : null;
    }
}
