using LogPipeline.Client;

namespace LogPipeline.Cli.OffsetResets;

/// <summary>What a group's committed offsets are to become.</summary>
internal enum ResetKind
{
    /// <summary>The log's start.</summary>
    Earliest,

    /// <summary>The log's end.</summary>
    Latest,

    /// <summary>What they are; the log's end where nothing is committed.</summary>
    Current,

    /// <summary>One number for every partition.</summary>
    Offset,

    /// <summary>So many records further, or back when negative.</summary>
    Shift,

    /// <summary>The first record that is not older than a time; the log's end where there is no such record.</summary>
    Time,

    /// <summary>What a file says.</summary>
    File,
}

/// <param name="Kind">How the new offset is found.</param>
/// <param name="Number">Of <see cref="ResetKind.Offset"/> and <see cref="ResetKind.Shift"/>.</param>
/// <param name="Time">Of <see cref="ResetKind.Time"/>.</param>
/// <param name="Offsets">Of <see cref="ResetKind.File"/>, by group (empty: whichever group is asked for) and partition.</param>
internal sealed record ResetTarget(ResetKind Kind, long Number = 0, DateTimeOffset Time = default, IReadOnlyList<ResetLine>? Offsets = null);

/// <summary>One new offset.</summary>
internal readonly record struct ResetLine(string Group, TopicPartition Partition, long Offset);
