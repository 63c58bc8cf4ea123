namespace LogPipeline.Agent.Shaping;

/// <summary>Decides which lines of a stream belong together.</summary>
internal abstract class MultilineRule
{
    /// <summary>The rule that an input asks for; null where each line is a record.</summary>
    public static MultilineRule? Of(MultilineOptions? options) => options switch
    {
        null => null,
        { Start: LinePattern start } => new StartRule(start),
        { Continue: LinePattern next } => new ContinueRule(next),
        _ => new TraceRule(options.Preset),
    };

    /// <summary>A group begins with a line; returns the state of the group.</summary>
    public virtual TraceState Begin(ReadOnlySpan<byte> line) => TraceState.Ordinary;

    /// <summary>Whether a line belongs to the group before it; if so the state of the group may change.</summary>
    public abstract bool Continues(ReadOnlySpan<byte> line, ref TraceState state);

    private sealed class StartRule(LinePattern start) : MultilineRule
    {
        public override bool Continues(ReadOnlySpan<byte> line, ref TraceState state) => !start.IsMatch(line);
    }

    private sealed class ContinueRule(LinePattern next) : MultilineRule
    {
        public override bool Continues(ReadOnlySpan<byte> line, ref TraceState state) => next.IsMatch(line);
    }
}

/// <summary>How lines are joined: one of <see cref="Start"/>, <see cref="Continue"/> and <see cref="Preset"/>.</summary>
public sealed record MultilineOptions
{
    /// <summary>It holds for the pieces that a container's runtime cuts a line into, too.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(2);

    /// <summary>What the first line of a group matches.</summary>
    public LinePattern? Start { get; init; }

    /// <summary>What the further lines of a group match.</summary>
    public LinePattern? Continue { get; init; }

    /// <summary>Whose stack traces are known.</summary>
    public TraceKinds Preset { get; init; }

    /// <summary>How long after the last byte was read a group is taken for whole.</summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>A group of so many lines is whole.</summary>
    public int MaxLines { get; init; } = 500;
}
