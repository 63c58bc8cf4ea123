namespace LogPipeline.Sinks.Commands;

/// <summary>What a command makes of the pauses that there are.</summary>
/// <param name="Pauses">As they will be; null when they stay.</param>
/// <param name="Succeeds">False when the command cannot be done.</param>
/// <param name="Text">The outcome, for people.</param>
internal sealed record PauseChange(IReadOnlyList<SinkPause>? Pauses, bool Succeeds, string Text)
{
    public static PauseChange Of(SinkCommand command, IReadOnlyList<SinkPause> now, DateTimeOffset time) => command.Action == SinkAction.Pause
        ? Paused(command, now, time) : Resumed(command, now);

    private static PauseChange Paused(SinkCommand command, IReadOnlyList<SinkPause> now, DateTimeOffset time)
    {
        var wanted = new SinkPause(command.Topic, command.Partition, time, command.RequestedBy);
        if (now.FirstOrDefault(pause => Covers(pause, wanted)) is { } there)
        {
            return new PauseChange(null, true, $"it was paused already: {there}");
        }
        return new PauseChange([.. now.Where(pause => !Covers(wanted, pause)), wanted], true, $"{SinkPause.What(command.Topic, command.Partition)} is paused");
    }

    private static PauseChange Resumed(SinkCommand command, IReadOnlyList<SinkPause> now)
    {
        var wanted = new SinkPause(command.Topic, command.Partition, default, "");
        if (now.FirstOrDefault(pause => Covers(pause, wanted) && !Covers(wanted, pause)) is { } wider)
        {
            return new PauseChange(null, false, $"{SinkPause.What(wider.Topic, wider.Partition)} is paused as a whole, and is resumed as a whole ({wider})");
        }
        SinkPause[] left = [.. now.Where(pause => !Covers(wanted, pause))];
        return left.Length == now.Count ? new PauseChange(null, true, "it was not paused")
            : new PauseChange(left, true, $"{SinkPause.What(command.Topic, command.Partition)} goes on");
    }

    /// <summary>Whether one pause holds all that another does.</summary>
    private static bool Covers(SinkPause one, SinkPause other) =>
        (one.Topic is null || one.Topic == other.Topic) && (one.Partition is null || one.Partition == other.Partition);
}
