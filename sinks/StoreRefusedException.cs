using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks;

/// <summary>The database is not the one expected or refuses for a reason that waiting does not mend. Says what to do.</summary>
public sealed class StoreRefusedException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Says that the ledger has no row of a topic of which lines are stored: read from its begin they would be stored once more.</summary>
    internal static StoreRefusedException LostLedgerRows(string sink, string topic) => new(
        $"sink {sink}: the ledger has lost its rows of topic {topic} (logpipe_logs), and logpipe_sources says that lines of it are stored, which would be stored once more: "
        + "restore logpipe_logs from a backup, or give the sink a new name and table, which are filled from the topic.");

    /// <summary>Says that the ledger with which the process worked is gone.</summary>
    /// <param name="place">Such as <c>database logs</c>.</param>
    internal static StoreRefusedException LostLedger(string sink, string place) => new(
        $"sink {sink}: {place} holds no ledger (logpipe_ledger). Restore it from a backup: the sink goes on by itself then, and stores what came since. "
        + "Nothing is made in its place while this process runs; to begin anew in an empty database, start it again.");

    /// <summary>Says that the rows there are another sink's: beside them this one would store each line once more.</summary>
    /// <param name="place">Such as <c>table web_log_rows</c>.</param>
    /// <param name="setting">What names the place in the configuration.</param>
    internal static StoreRefusedException HoldsRowsOf(string other, string sink, string place, string setting) => new(
        $"sink {sink}: {place} holds rows of sink {other}, and would hold each line twice. If this sink was renamed, give it the name {other} back; else give it another `{setting}`.");

    /// <summary>Says that the sink's rows are made with another configuration than this process has, and that this one does not change that.</summary>
    /// <param name="place">Such as <c>table web_log_rows</c>.</param>
    /// <param name="theirs">The configuration hash that the ledger has.</param>
    /// <param name="mine">The one of this process.</param>
    internal static StoreRefusedException WrittenOtherwise(string sink, string place, string theirs, string mine)
    {
        (string their, string my) = (RowColumns.ParserOf(theirs), RowColumns.ParserOf(mine));
        return new StoreRefusedException(
            $"sink {sink}: {place} is written with parser {their}{(their == my ? " and other settings or columns" : "")} by now, and this process has parser {my}, from before or from another configuration. "
            + "Give all processes of the sink the same one, and start this process again.");
    }
}
