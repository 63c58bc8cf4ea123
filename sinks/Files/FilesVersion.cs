using System.Text.Json;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>A configuration that rows of the files were made with.</summary>
/// <param name="Parser">Its name.</param>
/// <param name="Settings">What it was told.</param>
/// <param name="Columns">Their names.</param>
/// <param name="ConfigHash">See <see cref="RowColumns.ConfigHash"/>.</param>
/// <param name="Since">From when on; null: longer than versions are noted.</param>
internal sealed record FilesVersion(string Parser, string Settings, string Columns, string ConfigHash, DateTimeOffset? Since)
{
    public static FilesVersion Of(ILineParser parser, DateTimeOffset since)
    {
        string hash = RowColumns.ConfigHash(parser);
        return new FilesVersion(parser.Name, parser.Settings, RowColumns.ColumnsOf(hash), hash, since);
    }

    /// <summary>The one of a manifest that has its hash alone.</summary>
    public static FilesVersion Of(string configHash) => new(RowColumns.ParserOf(configHash), "", RowColumns.ColumnsOf(configHash), configHash, null);

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("parser", Parser);
        json.WriteString("settings", Settings);
        json.WriteString("columns", Columns);
        json.WriteString("config", ConfigHash);
        if (Since is { } since)
        {
            json.WriteString("since", since);
        }
        json.WriteEndObject();
    }

    public static FilesVersion Read(JsonElement version) => new(
        version.GetProperty("parser").GetString()!, version.GetProperty("settings").GetString()!, version.GetProperty("columns").GetString()!,
        version.GetProperty("config").GetString()!, version.TryGetProperty("since", out JsonElement since) ? since.GetDateTimeOffset() : null);
}
