using System.Collections.Immutable;
using System.Text.Json;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>A row of <c>logpipe_table_versions</c>: how a table's rows were made from some offsets on.</summary>
/// <param name="Parser">Its name.</param>
/// <param name="Where">Which rows were stored; null: all.</param>
/// <param name="ConfigHash">See <see cref="RowColumns.ConfigHash"/>.</param>
/// <param name="Starts">The first offset of each log, by its id; 0 for one that is not there, which came later.</param>
internal sealed record TableVersion(string Parser, string? Where, string ConfigHash, ImmutableSortedDictionary<int, long> Starts)
{
    /// <param name="starts">As the database has them: JSON, or an empty text.</param>
    public static TableVersion Of(string parser, string? where, string configHash, string starts)
    {
        if (starts.Length == 0)
        {
            return new TableVersion(parser, where, configHash, ImmutableSortedDictionary<int, long>.Empty);
        }
        using var json = JsonDocument.Parse(starts);
        return new TableVersion(parser, where, configHash, OffsetsJson.Read(json.RootElement));
    }
}
