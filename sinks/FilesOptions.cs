using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks;

/// <summary>Rows into files below a directory.</summary>
public sealed record FilesOptions
{
    public string Directory { get; init; } = "";

    /// <summary><c>raw</c>: the line's bytes and a line feed; <c>ndjson</c>: an object a line; <c>csv</c>: with a line of names.</summary>
    public string Format { get; init; } = "raw";

    /// <summary><c>none</c>, <c>gzip</c> or <c>zstd</c>.</summary>
    public string Compress { get; init; } = "none";

    /// <summary>Below the directory, without extension: <c>{topic}</c>, <c>{partition}</c>, <c>{date}</c>, <c>{hour}</c>, <c>{host}</c>.</summary>
    public string Path { get; init; } = FilePathTemplate.Default;

    internal FileCompression Compression => Compress switch { "gzip" => FileCompression.Gzip, "zstd" => FileCompression.Zstd, _ => FileCompression.None };

    /// <exception cref="SinkConfigurationException">Says what is wrong and what to write instead.</exception>
    internal void Validate(string sink)
    {
        if (Format is not ("raw" or "ndjson" or "csv"))
        {
            throw new SinkConfigurationException($"sink {sink}: files format {Format} is unknown: write raw, ndjson or csv");
        }
        if (Compress is not ("none" or "gzip" or "zstd"))
        {
            throw new SinkConfigurationException($"sink {sink}: files compress {Compress} is unknown: write none, gzip or zstd");
        }
        _ = NewPaths();
    }

    internal IRowFormat NewFormat(IReadOnlyList<Column> columns) => Format switch
    {
        "ndjson" => new JsonFormat(columns),
        "csv" => new CsvFormat(columns),
        _ => new RawFormat(),
    };

    internal FilePathTemplate NewPaths() => new(Path, NewFormat([]).Extension + Compression.Extension());
}
