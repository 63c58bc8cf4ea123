using LogPipeline.Agent.Shaping.Redaction;

namespace LogPipeline.Agent.Shaping;

/// <summary>What an input's configuration makes of its lines, ready for use; one for all files of the input.</summary>
internal sealed class LineShape
{
    public LineShape(InputOptions input)
    {
        Input = input;
        Multiline = MultilineRule.Of(input.Multiline);
        Filter = input.Include.Count + input.ExcludeLines.Count > 0 ? new LineFilter(input.Include, input.ExcludeLines) : null;
        Redaction = input.Redact.Count > 0 ? new MatchBorders(input.Redact) : null;
        Cut = Redaction is null ? null : new RedactedCut(Redaction);
    }

    public InputOptions Input { get; }

    /// <summary>Null where each line is a record.</summary>
    public MultilineRule? Multiline { get; }

    /// <summary>Null where all lines are wanted.</summary>
    public LineFilter? Filter { get; }

    /// <summary>Null where nothing is replaced.</summary>
    public MatchBorders? Redaction { get; }

    /// <summary>Where a line longer than the limit may be cut; null = anywhere.</summary>
    public RedactedCut? Cut { get; }

    /// <summary>Whether lines are judged by what they say: half of one may say something else than all of it.</summary>
    public bool Judges => Filter is not null || Redaction is not null;

    /// <summary>Whether lines may have to wait for others.</summary>
    private static bool Groups(InputOptions input) => input.Format != LineFormat.Plain || input.Multiline is not null;

    /// <summary>
    /// How many times <c>max_line_bytes</c> must be held at once: a group until its end is seen, behind a line that is as long; and with redactions
    /// as much again behind each cut, so that a match which goes on there is seen.
    /// </summary>
    public static int HeldLines(InputOptions input) => (Groups(input) ? 2 : 1) * (input.Redact.Count > 0 ? 2 : 1);

    /// <summary>Whether an input wants anything but the bytes of the lines.</summary>
    public static bool Changes(InputOptions input) =>
        Groups(input) || input.Include.Count > 0 || input.ExcludeLines.Count > 0 || input.Redact.Count > 0 || input.RateLimit is not null
        || input.KeyPattern is not null || input.Timestamp != TimeForm.None;
}
