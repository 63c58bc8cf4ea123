using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Cli.Configuration;

/// <summary>Binds the entries of <c>sinks:</c>.</summary>
internal static class SinkSection
{
    public static IReadOnlyList<SinkOptions> ReadAll(IReadOnlyList<ConfigurationSection> sections)
    {
        var sinks = new List<SinkOptions>();
        foreach (ConfigurationSection section in sections)
        {
            SinkOptions sink = Read(section);
            if (sinks.Exists(other => other.Name == sink.Name))
            {
                throw new ConfigurationException($"{section.OriginOf("name")}: two sinks are named '{sink.Name}'; the name is the consumer group too, so each needs its own");
            }
            foreach (SinkOptions other in sinks)
            {
                RequireApart(section, other, sink);
            }
            sinks.Add(sink);
        }
        return sinks;
    }

    /// <exception cref="ConfigurationException">Two sinks write to one place, or one into the other's, where each would take the other's files for its own.</exception>
    private static void RequireApart(ConfigurationSection section, SinkOptions one, SinkOptions other)
    {
        if (Placed(one).Target == Placed(other).Target)
        {
            throw new ConfigurationException($"{section.Origin}: sinks '{one.Name}' and '{other.Name}' both write to {other.Target}; give each its own, or name the topics of both in one");
        }
        if (Placed(one).Files is { Directory: var first } && Placed(other).Files is { Directory: var second } && (IsWithin(first, second) || IsWithin(second, first)))
        {
            throw new ConfigurationException(
                $"{section.Origin}: sinks '{one.Name}' and '{other.Name}' write to directories of which one lies in the other, {first} and {second}; give each its own, beside the other's");
        }
    }

    private static SinkOptions Placed(SinkOptions sink) => sink with
    {
        Files = sink.Files is { } files ? files with { Directory = RealPath.Of(files.Directory) } : null,
        Sqlite = sink.Sqlite is { } sqlite ? sqlite with { File = RealPath.Of(sqlite.File) } : null,
    };

    private static bool IsWithin(string directory, string path) =>
        path.StartsWith(Path.EndsInDirectorySeparator(directory) ? directory : directory + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static SinkOptions Read(ConfigurationSection section)
    {
        var defaults = new SinkOptions();
        SinkOptions sink = defaults with
        {
            Name = section.Required("name", "it names the sink and its consumer group, such as web_log"),
            Bootstrap = string.Join(',', section.Texts("bootstrap", [defaults.Bootstrap])),
            Topics = section.Texts("topics", defaults.Topics),
            Parser = ReadParser(section, defaults.Parser) with { Where = section.TextOrNull("where") },
            StartFrom = section.Choice("start_from", defaults.StartFrom, ("earliest", "earliest"), ("latest", "latest")),
            Postgres = section.SectionOrNull("postgres") is { } postgres ? ReadPostgres(postgres) : null,
            Sqlite = section.SectionOrNull("sqlite") is { } sqlite ? ReadSqlite(sqlite) : null,
            Files = section.SectionOrNull("files") is { } files ? ReadFiles(files) : null,
            Flush = ReadFlush(section.Section("flush"), defaults.Flush),
        };
        section.Close();
        try
        {
            sink.Validate();
        }
        catch (SinkConfigurationException e)
        {
            throw new ConfigurationException($"{section.Origin}: {e.Message}");
        }
        return sink;
    }

    /// <summary>Reads what stands behind <c>parser:</c>.</summary>
    public static ParserOptions ParserOf(string yaml) =>
        ReadParser(ConfigurationFile.Read($"parser: {yaml}", "--parser", []), new ParserOptions());

    /// <summary>A type alone, or a group of keys of which one is the type.</summary>
    private static ParserOptions ReadParser(ConfigurationSection sink, ParserOptions defaults)
    {
        if (!sink.IsGroup("parser"))
        {
            return sink.TextOrNull("parser") is { } type ? type : defaults;
        }
        ConfigurationSection section = sink.Section("parser");
        ConfigurationSection? time = section.IsGroup("time") ? section.Section("time") : null;
        var options = new ParserOptions
        {
            Type = section.Required("type", $"one of {string.Join(", ", LineParsers.Names)}"),
            Format = section.TextOrNull("format"),
            Pattern = section.TextOrNull("pattern"),
            Columns = section.SectionOrNull("columns")?.Pairs() ?? [],
            TimeField = time is null ? section.TextOrNull("time") : time.TextOrNull("field"),
            TimeFormat = time?.TextOrNull("format"),
        };
        time?.Close();
        section.Close();
        return options;
    }

    private static PostgresOptions ReadPostgres(ConfigurationSection section)
    {
        var options = new PostgresOptions
        {
            Connection = section.Required("connection", "such as \"Host=127.0.0.1;Database=logs;Username=logs;Password=…\""),
            Table = section.Text("table", new PostgresOptions().Table),
            Retention = section.Has("retention") ? section.Duration("retention", TimeSpan.Zero) : null,
            Indexes = section.Texts("indexes", []),
        };
        section.Close();
        return options;
    }

    private static SqliteOptions ReadSqlite(ConfigurationSection section)
    {
        var options = new SqliteOptions
        {
            File = section.Required("file", "where the rows go, such as ./data/logs.db"),
            Table = section.Text("table", new SqliteOptions().Table),
            Retention = section.Has("retention") ? section.Duration("retention", TimeSpan.Zero) : null,
            Indexes = section.Texts("indexes", []),
        };
        section.Close();
        return options;
    }

    private static FilesOptions ReadFiles(ConfigurationSection section)
    {
        var options = new FilesOptions
        {
            Directory = section.Required("directory", "where the lines go, such as ./data/out"),
            Format = section.Choice("format", new FilesOptions().Format, ("raw", "raw"), ("ndjson", "ndjson"), ("csv", "csv"), ("parquet", "parquet")),
            Compress = section.Choice("compress", new FilesOptions().Compress, ("none", "none"), ("gzip", "gzip"), ("zstd", "zstd"), ("snappy", "snappy")),
            Path = section.Text("path", new FilesOptions().Path),
            Publish = section.Has("publish") ? ReadPublish(section.Section("publish"), new PublishOptions()) : null,
        };
        section.Close();
        return options;
    }

    private static PublishOptions ReadPublish(ConfigurationSection section, PublishOptions defaults)
    {
        var options = new PublishOptions
        {
            BytesMax = section.Size("bytes_max", defaults.BytesMax),
            Interval = section.Duration("interval", defaults.Interval),
        };
        section.Close();
        return options;
    }

    private static FlushOptions ReadFlush(ConfigurationSection section, FlushOptions defaults)
    {
        var options = new FlushOptions
        {
            BytesMax = (int)section.Size("bytes_max", defaults.BytesMax, 1024, 512 << 20),
            Interval = section.DurationOrAuto("interval", defaults.Interval),
        };
        section.Close();
        return options;
    }
}
