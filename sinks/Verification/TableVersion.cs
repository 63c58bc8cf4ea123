using System.Globalization;
using System.Text.Json;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>A row of <c>logpipe_table_versions</c>: how a table's rows were made from some offsets on.</summary>
/// <param name="Parser">Its name.</param>
/// <param name="Where">Which rows were stored; null: all.</param>
/// <param name="ConfigHash">See <see cref="RowColumns.ConfigHash"/>.</param>
/// <param name="Starts">The first offset of each log, by its id, as JSON; empty where there is none.</param>
internal sealed record TableVersion(string Parser, string? Where, string ConfigHash, string Starts)
{
    /// <summary>The first offset of a log; 0 for one that came later.</summary>
    public long StartOf(int log)
    {
        if (Starts.Length == 0)
        {
            return 0;
        }
        using var starts = JsonDocument.Parse(Starts);
        return starts.RootElement.TryGetProperty(log.ToString(CultureInfo.InvariantCulture), out JsonElement start) ? start.GetInt64() : 0;
    }
}
