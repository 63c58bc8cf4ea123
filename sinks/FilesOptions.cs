using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Files.Parts;
using LogPipeline.Sinks.Parsing;
using Parquet;

namespace LogPipeline.Sinks;

/// <summary>Rows into files below a directory.</summary>
public sealed record FilesOptions
{
    public string Directory { get; init; } = "";

    /// <summary>
    /// <c>raw</c>: the line's bytes and a line feed; <c>ndjson</c>: an object a line; <c>csv</c>: with a line of names; <c>parquet</c>: typed columns, in
    /// files that are published whole.
    /// </summary>
    public string Format { get; init; } = "raw";

    /// <summary><c>none</c>, <c>gzip</c> or <c>zstd</c>; within Parquet files <c>none</c>, <c>snappy</c> or <c>zstd</c>. Empty: none, and snappy for Parquet.</summary>
    public string Compress { get; init; } = "";

    /// <summary>Below the directory, without extension: <c>{topic}</c>, <c>{partition}</c>, <c>{date}</c>, <c>{hour}</c>, <c>{host}</c>.</summary>
    public string Path { get; init; } = FilePathTemplate.Default;

    /// <summary>When staged rows become a Parquet file; only for that format.</summary>
    public PublishOptions? Publish { get; init; }

    internal bool IsParquet => Format == "parquet";

    internal FileCompression Compression => IsParquet ? FileCompression.None : Compress switch { "gzip" => FileCompression.Gzip, "zstd" => FileCompression.Zstd, _ => FileCompression.None };

    internal CompressionMethod Codec => Compress switch { "zstd" => CompressionMethod.Zstd, "none" => CompressionMethod.None, _ => CompressionMethod.Snappy };

    /// <summary>What decides the content of files, each thing said in one way.</summary>
    internal FilesOptions Output => this with { Directory = "", Compress = Compress.Length > 0 ? Compress : IsParquet ? "snappy" : "none", Publish = null };

    /// <exception cref="SinkConfigurationException">Says what is wrong and what to write instead.</exception>
    internal void Validate(string sink)
    {
        if (Format is not ("raw" or "ndjson" or "csv" or "parquet"))
        {
            throw new SinkConfigurationException($"sink {sink}: files format {Format} is unknown: write raw, ndjson, csv or parquet");
        }
        if (IsParquet && Compress == "gzip")
        {
            throw new SinkConfigurationException($"sink {sink}: files compress gzip: a Parquet file compresses its own columns, and is not packed around: write snappy, zstd or none");
        }
        if (Compress is not ("" or "none" or "zstd") && Compress != (IsParquet ? "snappy" : "gzip"))
        {
            throw new SinkConfigurationException($"sink {sink}: files compress {Compress} is unknown for {Format}: write none, {(IsParquet ? "snappy" : "gzip")} or zstd");
        }
        if (Publish is not null && !IsParquet)
        {
            throw new SinkConfigurationException($"sink {sink}: files publish is for format parquet alone: {Format} files are written on");
        }
        if (Publish is { BytesMax: < 64 << 10 or > 16L << 30 } || Publish?.Interval < TimeSpan.FromSeconds(1))
        {
            throw new SinkConfigurationException($"sink {sink}: files publish bytes_max must be 64 KiB to 16 GiB, and interval 1s or more");
        }
        _ = NewPaths();
    }

    internal IRowFormat NewFormat(IReadOnlyList<Column> columns) => Format switch
    {
        "ndjson" => new JsonFormat(columns),
        "csv" => new CsvFormat(columns),
        "parquet" => new StagedFormat(columns),
        _ => new RawFormat(),
    };

    internal FilePathTemplate NewPaths() => new(Path, NewFormat([]).Extension + Compression.Extension(), IsParquet ? StagedFormat.Directory : "");
}

/// <summary>When staged rows become a Parquet file.</summary>
public sealed record PublishOptions
{
    /// <summary>Once so many bytes are staged as JSON lines: about five times what the Parquet file has of an access log.</summary>
    public long BytesMax { get; init; } = 128 << 20;

    /// <summary>And at the latest so long after the first of them.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(15);
}
