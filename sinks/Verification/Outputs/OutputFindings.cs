namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>Tells differences as findings, and as notes what people did to the files and what the topic no longer has.</summary>
internal sealed class OutputFindings(TopicSide topic, string root)
{
    private readonly List<string> _moved = [];
    private readonly List<string> _gone = [];
    private long _movedLines;
    private long _goneLines;

    public void NoteMoved(OutputStretch stretch)
    {
        _moved.Add(stretch.File.Name);
        _movedLines += stretch.Expected.Count;
    }

    public void NoteGone(OutputStretch stretch, long lines)
    {
        _gone.Add(stretch.File.Name);
        _goneLines += lines;
    }

    public void AddDamage(OutputFile file)
    {
        file.IsWrong = true;
        Add(FindingSide.OutputDiffers, null, $"{PathOf(file)} cannot be read to its end: {file.Damage}");
    }

    /// <param name="difference">Of one stretch.</param>
    /// <param name="isTopicShort">Whether records are no longer to be had.</param>
    public void Add(StretchDifference difference, bool isTopicShort)
    {
        OutputStretch stretch = difference.Stretch;
        int before = topic.Findings.Count;
        var extra = new List<(long Number, bool IsRepeat)>(difference.Extra);
        var missing = new List<MissingLine>();
        long resent = 0;
        foreach (MissingLine line in difference.Missing)
        {
            if (line.Row.IsAgain && (extra.Count > 0 || isTopicShort))
            {
                // Stored under an offset that the topic lost, so where the format tells the offset the line is another.
                resent++;
                if (extra.Count > 0)
                {
                    extra.RemoveAt(0);
                }
            }
            else
            {
                missing.Add(line);
            }
        }
        foreach (MissingLine line in missing)
        {
            int other = line.Number == 0 ? -1 : extra.FindIndex(e => e.Number == line.Number && !e.IsRepeat);
            if (other >= 0)
            {
                extra.RemoveAt(other);
            }
            Add(line.Row, other >= 0 ? FindingSide.OutputDiffers : FindingSide.OutputMissing, other >= 0 ? $"is not what line {line.Number} of {PathOf(stretch.File)} says" : $"is missing in {PathOf(stretch.File)}");
        }
        foreach ((long number, bool isRepeat) in extra)
        {
            Add(isRepeat ? FindingSide.OutputRepeated : FindingSide.OutputDiffers, null, $"{PathOf(stretch.File)} line {number} {(isRepeat ? "is there once more than in the topic" : "is of no record")}");
        }
        AddRest(difference, resent);
        stretch.File.IsWrong |= topic.Findings.Count > before;
    }

    /// <summary>What of the notes is about several files.</summary>
    public void AddNotes()
    {
        if (_moved.Count > 0)
        {
            topic.Notes.Add($"{Names(_moved)} {(_moved.Count == 1 ? "was" : "were")} moved away or emptied: {_movedLines} lines that the topic has of {(_moved.Count == 1 ? "it" : "them")} are not compared");
        }
        if (_gone.Count > 0)
        {
            topic.Notes.Add($"{Names(_gone)} {(_gone.Count == 1 ? "has" : "have")} {_goneLines} lines of records that the topic no longer has, or that are not compared");
        }
    }

    private void AddRest(StretchDifference difference, long resent)
    {
        OutputStretch stretch = difference.Stretch;
        string path = PathOf(stretch.File);
        if (difference.GoneCount > 0)
        {
            NoteGone(stretch, difference.GoneCount);
        }
        if (difference.CutCount > 0)
        {
            topic.Notes.Add($"{path} was cut: {difference.CutCount} lines of its end are not compared");
        }
        if (difference.MissingCount > difference.Missing.Count)
        {
            Add(FindingSide.OutputMissing, null, $"{difference.MissingCount - difference.Missing.Count} more records are missing in {path}");
        }
        if (resent > 0)
        {
            topic.Notes.Add($"{path}: {resent} records were sent again and are there under offsets that the topic lost");
        }
        if (difference.ExtraCount > difference.Extra.Count)
        {
            Add(FindingSide.OutputRepeated, null, $"{path} has {difference.ExtraCount - difference.Extra.Count} more lines than the topic");
        }
        if (difference is { MissingCount: 0, ExtraCount: 0, GoneCount: 0, CutCount: 0 })
        {
            Add(FindingSide.OutputDiffers, null, $"{path} has the topic's lines in another order");
        }
    }

    private void Add(in ExpectedRow row, FindingSide side, string what) => topic.Report(side, row.Log, row.Offset, row.Source, row.Source is null ? null : row.LineBegin, what);

    private void Add(FindingSide side, string? topicName, string text) => topic.Findings.Add(new Finding(side, topicName ?? "", -1, -1, null, null, null, text));

    private string PathOf(OutputFile file) => Path.Combine(root, file.Name);

    private static string Names(List<string> names) => names.Count <= 3 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(3))} and {names.Count - 3} more files";
}
