using LogPipeline.Contract;

namespace LogPipeline.Agent.Shaping;

/// <summary>Why no record is made of a line.</summary>
internal enum Omission : byte
{
    None,

    /// <summary>The input's <c>include</c> or <c>exclude_lines</c> leaves it out.</summary>
    Filtered,

    /// <summary>It is beyond the input's <c>rate_limit</c>.</summary>
    Limited,

    /// <summary>What <c>redact</c> matches is longer than can be searched at once: from there on the line is left out.</summary>
    Withheld,

    /// <summary>The line's rest did not come in time, and what <c>redact</c> matches may go on there: all of the line is left out.</summary>
    Unended,
}

/// <summary>What is known of the place where a line, or a part of one, ends.</summary>
internal enum LineEnding
{
    /// <summary>It may end there.</summary>
    Safe,

    /// <summary>It lies within what a redaction matches.</summary>
    InMatch,

    /// <summary>The line goes on behind it, with what is waited for no longer.</summary>
    GivenUp,
}

/// <summary>Which of a container's outputs a line came from.</summary>
internal enum LineStream : byte
{
    None,
    Out,
    Error,
}

/// <summary>What became of one line or group of lines of a file: a record, or nothing.</summary>
/// <param name="Begin">Its first byte in the file; for a later part, the first of the part.</param>
/// <param name="End">After its last line's terminator.</param>
/// <param name="LineBegin">First byte of the whole; the same in all its parts.</param>
/// <param name="Part">0 = whole, else 1, 2, …</param>
/// <param name="IsLast">Whether the whole ends with it.</param>
/// <param name="Flags">What is unusual.</param>
/// <param name="Start">Where its text begins among those of all that wait.</param>
/// <param name="Length">Bytes of the text.</param>
/// <param name="KeyLength">Bytes of the key, which lie behind the text; -1 = no key.</param>
/// <param name="Stream">The container's output.</param>
/// <param name="Time">Milliseconds since 1970, as the line says; <see cref="long.MinValue"/> where it says nothing.</param>
/// <param name="Omission">Why it becomes no record.</param>
/// <param name="Replaced">Places in it that were no characters.</param>
/// <param name="IsMisfit">Whether it is no line of a container's format, though the file is of one.</param>
/// <param name="IsGivenUp">Whether its rest did not come in time.</param>
internal readonly record struct ShapedLine(
    long Begin, long End, long LineBegin, int Part, bool IsLast, PositionFlags Flags, int Start, int Length, int KeyLength, LineStream Stream, long Time, Omission Omission,
    int Replaced, bool IsMisfit, bool IsGivenUp);
