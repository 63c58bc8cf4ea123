using System.Globalization;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.DeadLetters;

/// <summary>Which of a sink's dead letters are meant.</summary>
/// <param name="Sink">The sink's name.</param>
/// <param name="State">Only those that were refused with this state; null for all.</param>
/// <param name="Partition">Only those of this partition; null for all.</param>
/// <param name="Offset">Only those of this offset; null for all.</param>
public sealed record DeadLetterChoice(string Sink, string? State = null, int? Partition = null, long? Offset = null)
{
    /// <summary>The condition on <c>logpipe_dead_letters</c>, the same in both databases.</summary>
    internal string Condition => string.Create(CultureInfo.InvariantCulture,
        $"log IN (SELECT id FROM logpipe_logs WHERE sink = {SqlLiteral.Of(Sink)}{(Partition is { } partition ? $" AND partition = {partition}" : "")})")
        + (State is null ? "" : $" AND state = {SqlLiteral.Of(State)}")
        + (Offset is { } offset ? string.Create(CultureInfo.InvariantCulture, $" AND log_offset = {offset}") : "");
}
