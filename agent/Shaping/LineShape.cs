namespace LogPipeline.Agent.Shaping;

/// <summary>What an input's configuration makes of its lines, ready for use; one for all files of the input.</summary>
internal sealed class LineShape(InputOptions input)
{
    public InputOptions Input => input;

    /// <summary>Null where each line is a record.</summary>
    public MultilineRule? Multiline { get; } = MultilineRule.Of(input.Multiline);

    /// <summary>Whether lines may have to wait for others, so that more of a file must be held at once.</summary>
    public static bool Groups(InputOptions input) => input.Format != LineFormat.Plain || input.Multiline is not null;

    /// <summary>Whether an input wants anything but the bytes of the lines.</summary>
    public static bool Changes(InputOptions input) => Groups(input);
}
