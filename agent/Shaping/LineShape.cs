namespace LogPipeline.Agent.Shaping;

/// <summary>What an input's configuration makes of its lines, ready for use; one for all files of the input.</summary>
internal sealed class LineShape(InputOptions input)
{
    public InputOptions Input => input;

    /// <summary>Whether lines may have to wait for others, so that more of a file must be held at once.</summary>
    public static bool Groups(InputOptions input) => false;

    /// <summary>Whether an input wants anything but the bytes of the lines.</summary>
    public static bool Changes(InputOptions input) => Groups(input);
}
