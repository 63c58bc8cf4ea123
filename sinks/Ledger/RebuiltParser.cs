namespace LogPipeline.Sinks.Ledger;

/// <summary>
/// Asks whether a sink's table is filled by the other parser of a rebuild than a configuration names: from the request of a rebuild on, until the table
/// that is not live is dropped, <c>logpipe_rebuilds</c> has both. A configuration that names the other one is no wish to change the table.
/// </summary>
internal static class RebuiltParser
{
    /// <summary>A statement that returns a row where that is so.</summary>
    /// <param name="what">What it selects: <c>r</c> is the rebuild, <c>l</c> a ledger row of the sink.</param>
    /// <param name="sink">The sink's name, as an expression.</param>
    /// <param name="configured">The hash of the configuration, as an expression.</param>
    public static string Select(string what, string sink, string configured) => $"""
        SELECT {what}
        FROM (SELECT * FROM logpipe_rebuilds WHERE sink = {sink} ORDER BY id DESC LIMIT 1) r
        JOIN logpipe_logs l ON l.sink = r.sink
        WHERE r.old_parser IS NOT NULL AND (r.keeps_other OR r.stage NOT IN ('Swapped', 'Aborted', 'RolledBack')) AND l.config_hash <> {configured}
            AND ((l.config_hash = r.config_hash AND r.old_config_hash = {configured}) OR (l.config_hash = r.old_config_hash AND r.config_hash = {configured}))
        LIMIT 1
        """;

    /// <summary>A start that asked for the table's parser just before a swap opens the table just behind it.</summary>
    public static TableReplacedException SwappedMeanwhile(string table) => new($"table {table} was swapped while it was opened, and is filled by another parser");
}
