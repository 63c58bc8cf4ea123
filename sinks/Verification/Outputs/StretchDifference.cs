namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>What is known of one stretch that is not as the topic says.</summary>
/// <param name="stretch">The stretch.</param>
/// <param name="firstOf">See <see cref="ShortenedLogs.FirstOf"/>.</param>
internal sealed class StretchDifference(OutputStretch stretch, IReadOnlyList<int>? firstOf)
{
    /// <summary>Each kind of difference is kept so often; of the others the number.</summary>
    private const int KeptMax = 1000;

    private readonly Dictionary<int, long> _lastThere = [];
    private readonly Dictionary<ulong, long> _firsts = (firstOf ?? []).Select(log => stretch.FirstLines[log]).Distinct().ToDictionary(line => line, _ => 0L);
    private readonly bool _isWhole = firstOf is { Count: 0 };
    private long _lineOfFirst;

    public OutputStretch Stretch { get; } = stretch;

    /// <summary>Lines walked of those expected.</summary>
    public long Ordinal { get; set; }

    public bool HasFirstLines => _firsts.Count > 0;

    /// <summary>Records without a line.</summary>
    public List<MissingLine> Missing { get; } = [];

    public long MissingCount { get; private set; }

    /// <summary>Lines without a record, by number; whether there is a record of the same line elsewhere.</summary>
    public List<(long Number, bool IsRepeat)> Extra { get; } = [];

    public long ExtraCount { get; private set; }

    /// <summary>Lines without a record that are of records which are no longer to be had.</summary>
    public long GoneCount { get; private set; }

    public bool IsFirstLine(ulong line) => _firsts.ContainsKey(line);

    /// <summary>Lines at the end that somebody may have cut off.</summary>
    public long CutCount { get; set; }

    /// <summary>Notes that a record surely has its line.</summary>
    public void IsThere(int log, long offset) => _lastThere[log] = Math.Max(_lastThere.GetValueOrDefault(log, -1), offset);

    /// <summary>Whether the end may be cut off, and all records of this one's log that surely have their lines are before it.</summary>
    public bool MayBeCutOff(in ExpectedRow row) => Stretch.MayBeCut && row.Offset > _lastThere.GetValueOrDefault(row.Log.Id, -1);

    /// <summary>Notes that a record has no line.</summary>
    public void Miss(in ExpectedRow row)
    {
        if (Missing.Count > 0 && Missing[^1].Row.Offset == row.Offset && Missing[^1].Row.Log == row.Log)
        {
            return; // another line of the same record
        }
        MissingCount++;
        if (Missing.Count < KeptMax)
        {
            bool isNumberKnown = _isWhole && Stretch.FirstLines.Count == 1 && Stretch.File.Starts.Count == 0;
            Missing.Add(new MissingLine(row, isNumberKnown ? Ordinal + (Stretch.File.Header.Length > 0 ? 1 : 0) : 0));
        }
    }

    /// <summary>Notes where the first line of a log stands that still has its record: before it, equal lines are of earlier records.</summary>
    public void FindFirst(long number, ulong line, ref LineCount count)
    {
        if (_firsts.TryGetValue(line, out long known) && known == 0 && ++count.Seen > count.Found - count.Records)
        {
            _firsts[line] = number;
            _lineOfFirst = Math.Max(_lineOfFirst, number);
            count.Seen = 0;
        }
    }

    /// <summary>Tells whether a line is one of those that have no record.</summary>
    public void Look(long number, ref LineCount count)
    {
        count.Seen++;
        // Of equal lines the later ones are repeats, unless the first may be of records that are gone.
        bool isExtra = _isWhole ? count.Seen > count.Records : count.Seen <= count.Found - count.Records;
        if (!isExtra)
        {
            return;
        }
        if (!_isWhole && (firstOf is null || number < _lineOfFirst || _firsts.ContainsValue(0)))
        {
            GoneCount++;
            return;
        }
        ExtraCount++;
        if (Extra.Count < KeptMax)
        {
            Extra.Add((number, count.Records > 0));
        }
    }
}

/// <summary>A record without a line.</summary>
/// <param name="Row">The record.</param>
/// <param name="Number">Which line of the file it would be; 0 where that is not known.</param>
internal readonly record struct MissingLine(ExpectedRow Row, long Number);
