using System.Buffers;
using LogPipeline.Agent.Shaping.Redaction;

namespace LogPipeline.Agent.Shaping;

/// <summary>What an input's configuration makes of its lines, ready for use; one for all files of the input.</summary>
internal sealed class LineShape(InputOptions input)
{
    private readonly ArrayBufferWriter<byte>[] _redacted = [new(), new()];

    public InputOptions Input => input;

    /// <summary>Null where each line is a record.</summary>
    public MultilineRule? Multiline { get; } = MultilineRule.Of(input.Multiline);

    /// <summary>Null where all lines are wanted.</summary>
    public LineFilter? Filter { get; } =
        input.Include.Count + input.ExcludeLines.Count > 0 ? new LineFilter(input.Include, input.ExcludeLines) : null;

    /// <summary>A line without what is not to leave the host; good until the next call.</summary>
    public ReadOnlySpan<byte> Redact(ReadOnlySpan<byte> line, out bool isChanged)
    {
        isChanged = false;
        int turn = 0;
        foreach (IRedaction redaction in input.Redact)
        {
            ArrayBufferWriter<byte> to = _redacted[turn];
            to.ResetWrittenCount();
            if (redaction.TryApply(line, to))
            {
                line = to.WrittenSpan;
                (isChanged, turn) = (true, 1 - turn);
            }
        }
        return line;
    }

    /// <summary>Whether lines may have to wait for others, so that more of a file must be held at once.</summary>
    public static bool Groups(InputOptions input) => input.Format != LineFormat.Plain || input.Multiline is not null;

    /// <summary>Whether an input wants anything but the bytes of the lines.</summary>
    public static bool Changes(InputOptions input) =>
        Groups(input) || input.Include.Count > 0 || input.ExcludeLines.Count > 0 || input.Redact.Count > 0 || input.RateLimit is not null
        || input.KeyPattern is not null || input.Timestamp != TimeForm.None;
}
