namespace LogPipeline.Sinks.Commands;

/// <summary>What a command asks for.</summary>
public enum SinkAction
{
    Pause,
    Resume,
}

/// <summary>A command that another process left for a sink, and what came of it: a row of <c>logpipe_commands</c>.</summary>
/// <param name="Id">They are done in this order.</param>
/// <param name="Sink">The sink's name.</param>
/// <param name="Action">What is to be done.</param>
/// <param name="Topic">Null for all topics.</param>
/// <param name="Partition">Null for all partitions.</param>
/// <param name="Requested">When it was left.</param>
/// <param name="RequestedBy">By whom, such as <c>alice@web-1</c>.</param>
public sealed record SinkCommand(int Id, string Sink, SinkAction Action, string? Topic, int? Partition, DateTimeOffset Requested, string RequestedBy)
{
    /// <summary>Null as long as no sink has done it.</summary>
    public CommandOutcome? Outcome { get; init; }

    public override string ToString() => $"{Action.ToString().ToLowerInvariant()} {SinkPause.What(Topic, Partition)}";
}

/// <summary>What came of a command.</summary>
/// <param name="Done">When.</param>
/// <param name="By">The host whose sink did it.</param>
/// <param name="Succeeded">False when it could not be done.</param>
/// <param name="Text">One line for people.</param>
public sealed record CommandOutcome(DateTimeOffset Done, string By, bool Succeeded, string Text);
