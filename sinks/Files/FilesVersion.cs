using System.Collections.Immutable;
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
    /// <summary>Format, path and compression, without a directory; null where an earlier program made the version, which did not note them.</summary>
    public FilesOptions? Output { get; init; }

    /// <summary>Which rows are written; null: all.</summary>
    public string? Where { get; init; }

    /// <summary>The first offset of each log, by its id, that was written so; 0 where there is none.</summary>
    public ImmutableSortedDictionary<int, long> From { get; init; } = ImmutableSortedDictionary<int, long>.Empty;

    public static FilesVersion Of(ILineParser parser, FilesOptions output, DateTimeOffset since)
    {
        string hash = RowColumns.ConfigHash(parser);
        return new FilesVersion(parser.Name, parser.Settings, RowColumns.ColumnsOf(hash), hash, since) { Output = output.Output, Where = parser.Where };
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
        if (Where is { } where)
        {
            json.WriteString("where", where);
        }
        if (Since is { } since)
        {
            json.WriteString("since", since);
        }
        if (Output is { } output)
        {
            json.WriteString("format", output.Format);
            json.WriteString("path", output.Path);
            json.WriteString("compress", output.Compress);
        }
        OffsetsJson.Write(json, "from", From);
        json.WriteEndObject();
    }

    public static FilesVersion Read(JsonElement version) => new(
        version.GetProperty("parser").GetString()!, version.GetProperty("settings").GetString()!, version.GetProperty("columns").GetString()!,
        version.GetProperty("config").GetString()!, version.TryGetProperty("since", out JsonElement since) ? since.GetDateTimeOffset() : null)
    {
        Output = version.TryGetProperty("format", out JsonElement format)
            ? new FilesOptions { Format = format.GetString()!, Path = version.GetProperty("path").GetString()!, Compress = version.GetProperty("compress").GetString()! } : null,
        Where = version.TryGetProperty("where", out JsonElement where) ? where.GetString() : null,
        From = OffsetsJson.Read(version, "from"),
    };
}
