using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>What is noted in <c>logpipe_table_versions</c> of the configuration that rows are made with; the same for every database.</summary>
/// <param name="Parser">Its name.</param>
/// <param name="Settings">What it was told.</param>
/// <param name="Columns">Their names, with types where those are known.</param>
/// <param name="ConfigHash">See <see cref="RowColumns.ConfigHash"/>.</param>
/// <param name="Where">Which rows are stored; null: all.</param>
internal sealed record RowsVersion(string Parser, string Settings, string Columns, string ConfigHash, string? Where)
{
    public static RowsVersion Of(ILineParser parser, string columns) => new(parser.Name, parser.Settings, columns, RowColumns.ConfigHash(parser), parser.Where);

    /// <summary>The one of rows of which nothing but the hash is known.</summary>
    public static RowsVersion Of(string configHash) => new(RowColumns.ParserOf(configHash), "", RowColumns.ColumnsOf(configHash), configHash, null);
}
