using LogPipeline.Simulation.Parts;

namespace LogPipeline.Simulation.Workload;

/// <summary>Which lines a sink stores: what its configuration says as one of its processes starts.</summary>
internal sealed class LineFilter(FilterHabit habit)
{
    /// <summary>Leaves out the lines whose number ends so: the number is followed by the only blank.</summary>
    private const string Where = "not \"7 \"";

    public FilterHabit Habit { get; set; } = habit;

    /// <summary>A planted fault: all lines are stored.</summary>
    public bool IsIgnored { get; set; }

    /// <summary>The condition for a process that starts; null where it stores all.</summary>
    public string? Configured(Random random) =>
        !IsIgnored && (Habit == FilterHabit.Constant || (Habit == FilterHabit.Changing && random.Next(2) == 0)) ? Where : null;

    /// <summary>Whether the line need not be stored.</summary>
    public bool MayLack(Line line) => Habit != FilterHabit.None && line.Id % 10 == 7;

    /// <summary>Whether the line must not be stored. Parts of a line that was cut always are.</summary>
    public bool MustLack(Line line) => Habit == FilterHabit.Constant && MayLack(line) && line.Bytes.Length <= AgentPart.LineBytesMax / 2;
}

/// <summary>How a configuration's <c>where</c> is from one start of a process to the next.</summary>
internal enum FilterHabit
{
    /// <summary>Without one: all lines are stored.</summary>
    None,

    /// <summary>Always the same.</summary>
    Constant,

    /// <summary>With it, or without.</summary>
    Changing,
}
