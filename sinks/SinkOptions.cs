using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Workers;
using Npgsql;

namespace LogPipeline.Sinks;

/// <summary>One sink: which topics it reads and where the rows go. The shape of an entry under <c>sinks:</c> in logpipe.yaml.</summary>
public sealed record SinkOptions
{
    /// <summary>Names the sink and its consumer group; part of the ledger's key.</summary>
    public string Name { get; init; } = "";

    /// <summary>One or more <c>host:port</c>, separated by commas.</summary>
    public string Bootstrap { get; init; } = "127.0.0.1:9092";

    /// <summary>Names and patterns, as <see cref="TopicPatterns"/> reads them.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>What a line is made of; see <see cref="LineParsers"/>.</summary>
    public ParserOptions Parser { get; init; } = "none";

    /// <summary>Where reading begins when the sink has never run: <c>earliest</c> or <c>latest</c>.</summary>
    public string StartFrom { get; init; } = "earliest";

    public PostgresOptions? Postgres { get; init; }

    public SqliteOptions? Sqlite { get; init; }

    public FilesOptions? Files { get; init; }

    public FlushOptions Flush { get; init; } = new();

    /// <summary>The least time from one flush of a partition to its next; null where the time that flushes take is to decide, which is 50 ms at most.</summary>
    /// <remarks>Files are not asked for rows that just came, and are compressed the worse the less a flush brings.</remarks>
    internal TimeSpan? FlushInterval => Flush.Interval ?? (Files is null ? null : FlushPace.RestMax);

    /// <summary>For people, the store's kind: <c>postgres</c>, <c>sqlite</c> or <c>files</c>.</summary>
    public string Kind => Postgres is not null ? "postgres" : Sqlite is not null ? "sqlite" : "files";

    /// <exception cref="SinkConfigurationException">Says what is wrong and what to write instead.</exception>
    public void Validate()
    {
        Require(Name.Length > 0, "a sink has no name: add `name: web_log`");
        Require(Topics.Count > 0, $"sink {Name} has no topics: add `topics: [web_log]`");
        TopicPatterns.Of(Topics);
        Require(Bootstrap.Length > 0, $"sink {Name} has no bootstrap: add `bootstrap: 127.0.0.1:9092`");
        CheckParser();
        Require(StartFrom is "earliest" or "latest", $"sink {Name}: start_from {StartFrom} is unknown: write earliest or latest");
        int targets = (Postgres is null ? 0 : 1) + (Sqlite is null ? 0 : 1) + (Files is null ? 0 : 1);
        Require(targets == 1, $"sink {Name} names {targets} of postgres, sqlite and files: name exactly one");
        Require(Flush.BytesMax is >= 1024 and <= 512 << 20, $"sink {Name}: flush bytes_max must be 1 KiB to 512 MiB");
        Require(Flush.Interval is null || Flush.Interval > TimeSpan.Zero, $"sink {Name}: flush interval must be above 0");
        Files?.Validate(Name);
        if (Postgres is not null)
        {
            PostgresConnection.Settings(Postgres.Connection, "");
        }
        TimeSpan? retention = Postgres?.Retention ?? Sqlite?.Retention;
        Require(retention is null || retention >= TimeSpan.FromDays(1), $"sink {Name}: retention {retention} is too short: rows go by whole days, so write 1d or more");
        if (Files is null)
        {
            CheckTable();
        }
    }

    /// <summary>The sink with the parser that its table has, or is to have; indexes on columns that this parser does not make are left out.</summary>
    internal SinkOptions With(ParserOptions parser)
    {
        ILineParser made = LineParsers.Named(parser);
        return this with
        {
            Parser = parser,
            Postgres = Postgres is null ? null : Postgres with { Indexes = [.. Postgres.Indexes.Where(Fits)] },
            Sqlite = Sqlite is null ? null : Sqlite with { Indexes = [.. Sqlite.Indexes.Where(Fits)] },
        };

        bool Fits(string entry)
        {
            try
            {
                return RowIndex.Read([entry], made, isSqlite: Sqlite is not null).Count == 1;
            }
            catch (SinkConfigurationException)
            {
                return false;
            }
        }
    }

    /// <summary>The sink with another table.</summary>
    internal SinkOptions With(TableName table) => this with
    {
        Postgres = Postgres is null ? null : Postgres with { Table = table.ToString() },
        Sqlite = Sqlite is null ? null : Sqlite with { Table = table.ToString() },
    };

    /// <summary>What the rows are written to: the same text for the same table or directory, as far as the configuration tells.</summary>
    public string Target
    {
        get
        {
            if (Files is not null)
            {
                return $"directory {Path.TrimEndingDirectorySeparator(Path.GetFullPath(Files.Directory))}";
            }
            if (Sqlite is not null)
            {
                return $"table {Sqlite.Table} of {Path.GetFullPath(Sqlite.File)}";
            }
            NpgsqlConnectionStringBuilder settings = PostgresConnection.Settings(Postgres!.Connection, "");
            return $"table {Table} of database {settings.Database ?? settings.Username} at {settings.Host}:{settings.Port}";
        }
    }

    /// <summary>What the sink's tables are called; only where it has tables.</summary>
    internal TableName Table => TableName.Parse(Postgres?.Table ?? Sqlite!.Table);

    private void CheckParser()
    {
        try
        {
            ILineParser parser = LineParsers.Named(Parser);
            SinkFilter.Of(parser);
            RowIndex.Read(Postgres?.Indexes ?? Sqlite?.Indexes ?? [], parser, isSqlite: Sqlite is not null);
        }
        catch (SinkConfigurationException error)
        {
            throw new SinkConfigurationException($"sink {Name}: {error.Message}");
        }
    }

    private void CheckTable()
    {
        try
        {
            string text = Table.ToString();
            Require(Sqlite is null || text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'), $"sink {Name}: table {text} must be letters, digits and _ in SQLite");
        }
        catch (FormatException error)
        {
            throw new SinkConfigurationException($"sink {Name}: {error.Message}");
        }
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new SinkConfigurationException(message);
        }
    }
}
