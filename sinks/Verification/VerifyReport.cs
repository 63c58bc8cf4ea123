namespace LogPipeline.Sinks.Verification;

/// <summary>What a verification looked at and what it found.</summary>
public sealed record VerifyReport
{
    /// <summary>True when nothing is missing and nothing repeated.</summary>
    public bool Passed => Findings.Count == 0;

    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>Empty where the sink writes files: not every format tells from which file a line came.</summary>
    public required IReadOnlyList<GenerationSummary> Generations { get; init; }

    /// <summary>The files of a sink that writes files.</summary>
    public IReadOnlyList<OutputSummary> Outputs { get; init; } = [];

    /// <summary>What could not be compared, and why (retention, a file that is gone).</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>True when generations of one path hold the same lines: each record is there once, and a note says why each line may not be.</summary>
    public required bool HasAlikeGenerations { get; init; }

    public required long RowsCompared { get; init; }
}

/// <summary>Where a difference shows.</summary>
public enum FindingSide
{
    /// <summary>A row of the table is missing.</summary>
    TableMissing,

    /// <summary>A row of the table is there twice.</summary>
    TableRepeated,

    /// <summary>A row of the table has other bytes than the record.</summary>
    TableDiffers,

    /// <summary>The topic's ranges leave a hole in a file.</summary>
    TopicMissing,

    /// <summary>The topic has a file range twice without the mark that explains it.</summary>
    TopicRepeated,

    /// <summary>The topic's bytes are not the file's.</summary>
    FileDiffers,

    /// <summary>The ledger's account does not match the rows.</summary>
    LedgerDiffers,

    /// <summary>A line of an output file is missing.</summary>
    OutputMissing,

    /// <summary>A line of an output file is there twice.</summary>
    OutputRepeated,

    /// <summary>A line of an output file is not what the record makes of it, or stands elsewhere.</summary>
    OutputDiffers,
}

/// <summary>One difference, for people and machines.</summary>
public sealed record Finding(FindingSide Side, string Topic, int Partition, long LogOffset, string? Host, string? File, long? FileOffset, string Text);

/// <summary>One file generation: the same three figures on each side when all is well.</summary>
public sealed record GenerationSummary(
    string Topic, string? Host, string? File, string Generation,
    long TopicRecords, long TopicBytes, ulong TopicHash, long TableRows, long TableBytes, ulong TableHash, long? FileBytes);

/// <summary>One file that a sink wrote: the lines that the topic's records make, those that are there, and whether they are the same.</summary>
/// <param name="Path">Below the sink's directory.</param>
/// <param name="TopicLines">Of the topic's records.</param>
/// <param name="Lines">That are there.</param>
/// <param name="IsSame">Whether they are the same.</param>
/// <param name="IsWrong">Whether something is found wrong with it; where neither holds, a note says what is not compared.</param>
public sealed record OutputSummary(string Path, long TopicLines, long Lines, bool IsSame, bool IsWrong);
