using System.Runtime.InteropServices;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>
/// Finds out in what stretches differ from the topic: which records have no line there, and which lines no record. Lines are compared by their
/// hashes, a slice of all hashes at a time, so the memory is bounded however large the files are; the topic and the files are walked once for each.
/// </summary>
internal sealed class OutputDifferences(IReadOnlyList<StretchDifference> stretches, Func<ExpectedRows.Visitor, Task> walkTopic, Func<OutputFile, LineHashes.Visitor, Task> readFile)
{
    private readonly Dictionary<OutputStretch, StretchDifference> _byStretch = stretches.ToDictionary(difference => difference.Stretch);
    private readonly Dictionary<(OutputStretch Stretch, ulong Line), LineCount> _counts = [];
    private readonly OutputFile[] _files = [.. stretches.Select(difference => difference.Stretch.File).Distinct()];

    /// <param name="stretchOf">Where a row's lines are.</param>
    /// <param name="sliceLines">So many lines at a time.</param>
    public async Task FindAsync(Func<ExpectedRow, OutputStretch> stretchOf, long sliceLines)
    {
        ulong slices = (ulong)(1 + (stretches.Sum(difference => difference.Stretch.Expected.Count + difference.Stretch.Lines.Count) / sliceLines));
        bool IsIn(ulong slice, StretchDifference difference, ulong line) => (difference.IsFirstLine(line) ? 0 : line % slices) == slice;
        for (ulong slice = 0; slice < slices && stretches.Any(difference => difference.Stretch.MayBeCut); slice++)
        {
            bool IsInSlice(StretchDifference difference, ulong line) => difference.Stretch.MayBeCut && IsIn(slice, difference, line);
            await CountAsync(IsInSlice);
            await FindEndsAsync(stretchOf, IsInSlice);
        }
        for (ulong slice = 0; slice < slices; slice++)
        {
            bool IsInSlice(StretchDifference difference, ulong line) => IsIn(slice, difference, line);
            await CountAsync(IsInSlice);
            await ExpectAsync(stretchOf, IsInSlice);
            if (slice == 0 && stretches.Any(difference => difference.HasFirstLines))
            {
                await ReadAsync((difference, number, line) => difference.FindFirst(number, line, ref CountOf(difference, line)));
            }
            await ReadAsync((difference, number, line) =>
            {
                if (IsInSlice(difference, line))
                {
                    difference.Look(number, ref CountOf(difference, line));
                }
            });
        }
    }

    /// <summary>Counts the lines of the files that are in a slice.</summary>
    private Task CountAsync(Func<StretchDifference, ulong, bool> isInSlice)
    {
        _counts.Clear();
        return ReadAsync((difference, _, line) =>
        {
            if (isInSlice(difference, line))
            {
                CountOf(difference, line).Found++;
            }
        });
    }

    /// <summary>
    /// Finds how far each log surely reaches where the end may be cut off: lines that are there as often as there are records of them tell. Of one
    /// that is there less often nobody knows which of its records, maybe of several logs, has it.
    /// </summary>
    private async Task FindEndsAsync(Func<ExpectedRow, OutputStretch> stretchOf, Func<StretchDifference, ulong, bool> isInSlice)
    {
        await WalkAsync(stretchOf, (difference, row, line) =>
        {
            if (isInSlice(difference, line))
            {
                ref LineCount count = ref CountOf(difference, line);
                count.Expected++;
                (count.LastLog, count.LastOffset) = (row.Log.Id, row.Offset);
            }
        });
        foreach (((OutputStretch stretch, ulong _), LineCount count) in _counts)
        {
            if (count.Expected > 0 && count.Expected <= count.Found)
            {
                _byStretch[stretch].IsThere(count.LastLog, count.LastOffset);
            }
        }
    }

    private async Task ExpectAsync(Func<ExpectedRow, OutputStretch> stretchOf, Func<StretchDifference, ulong, bool> isInSlice)
    {
        foreach (StretchDifference difference in stretches)
        {
            difference.Ordinal = 0;
        }
        await WalkAsync(stretchOf, (difference, row, line) =>
        {
            difference.Ordinal++;
            if (!isInSlice(difference, line))
            {
                return;
            }
            ref LineCount count = ref CountOf(difference, line);
            if (difference.MayBeCutOff(row))
            {
                count.AtEnd++;
            }
            else if (++count.Expected > count.Found)
            {
                difference.Miss(row);
            }
        });
        foreach (((OutputStretch stretch, ulong _), LineCount count) in _counts)
        {
            _byStretch[stretch].CutCount += count.CutOff;
        }
    }

    /// <summary>Walks the lines that the topic's records make in the stretches.</summary>
    private Task WalkAsync(Func<ExpectedRow, OutputStretch> stretchOf, Action<StretchDifference, ExpectedRow, ulong> visit) =>
        walkTopic((in ExpectedRow row, OutputForm _, IReadOnlyList<ulong> lines) =>
        {
            if (_byStretch.TryGetValue(stretchOf(row), out StretchDifference? difference))
            {
                foreach (ulong line in lines)
                {
                    visit(difference, row, line);
                }
            }
        });

    private async Task ReadAsync(Action<StretchDifference, long, ulong> visit)
    {
        foreach (OutputFile file in _files)
        {
            await readFile(file, (stretch, number, line) =>
            {
                if (_byStretch.TryGetValue(stretch, out StretchDifference? difference))
                {
                    visit(difference, number, line);
                }
            });
        }
    }

    private ref LineCount CountOf(StretchDifference difference, ulong line) => ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, (difference.Stretch, line), out _);
}

/// <summary>How often a line is there, and how often it should be.</summary>
internal struct LineCount
{
    public int Found;

    /// <summary>By records that must have it.</summary>
    public int Expected;

    /// <summary>By records of which it may have been cut off: see <see cref="StretchDifference.MayBeCutOff"/>.</summary>
    public int AtEnd;

    public int Seen;

    /// <summary>The last record of the line.</summary>
    public int LastLog;
    public long LastOffset;

    /// <summary>By all records.</summary>
    public readonly int Records => Expected + AtEnd;

    /// <summary>How many of those at the end have no line.</summary>
    public readonly int CutOff => Math.Max(0, AtEnd - Math.Max(0, Found - Expected));
}

/// <summary>A record without a line.</summary>
/// <param name="Row">The record.</param>
/// <param name="Number">Which line of the file it would be; 0 where that is not known.</param>
internal readonly record struct MissingLine(ExpectedRow Row, long Number);

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
