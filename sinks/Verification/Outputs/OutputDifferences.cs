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
