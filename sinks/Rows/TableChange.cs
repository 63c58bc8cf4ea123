using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>What people are told when stored rows are taken over to a changed parser; the same for every database.</summary>
internal static class TableChange
{
    /// <summary>What helps where a column is there with another type.</summary>
    public const string TypeRemedy = "give the column another name in `parser`, or the sink a new name and another `table`, which is filled from the topic";

    /// <param name="place">Such as <c>table web_log_rows</c>.</param>
    /// <param name="added">Columns with their types.</param>
    public static string Of(string place, ILineParser parser, int version, IReadOnlyList<string> added) =>
        $"{place} is written with parser {ParserOptions.Describe(parser.Name, parser.Where)} from now on, as version {version} (see logpipe_table_versions); "
        + (added.Count == 0 ? "it has all columns already" : $"added: {string.Join(", ", added)}");
}
