using LogPipeline.Files;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rebuilding;
using LogPipeline.Sinks.Sqlite;

namespace LogPipeline.Sinks;

/// <summary>Makes the store that a sink's options name.</summary>
public static class SinkStores
{
    /// <param name="events">Takes what the store finds changed by others; null = nobody listens.</param>
    /// <param name="migration">Whether what is stored may be taken over to the configured parser; null = a process's first store.</param>
    /// <exception cref="SinkConfigurationException">A setting is wrong.</exception>
    public static ISinkStore Create(SinkOptions options, IFileSystem files, TimeProvider time, Random random, ISinkEvents? events = null, MigrationRight? migration = null)
    {
        options.Validate();
        ILineParser parser = LineParsers.Named(options.Parser);
        if (options.Postgres is { } postgres)
        {
            return new PostgresStore(options.Name, postgres, parser, time, random, migration, events);
        }
        if (options.Sqlite is { } sqlite)
        {
            return new SqliteStore(options.Name, sqlite, parser, files, random, migration, events, time);
        }
        return new FileStore(options.Name, options.Files!, parser, files, random, time, events ?? new SilentSinkEvents());
    }

    /// <summary>What queries may ask about the sink's rows.</summary>
    public static QueryFields FieldsOf(SinkOptions options) => new(LineParsers.Named(options.Parser).Columns);

    /// <summary>A reader of the view that the sink fills, with the columns that it has: after a rebuild they may be others than the configuration's.</summary>
    /// <exception cref="SinkConfigurationException">Files have no view to query.</exception>
    public static async ValueTask<ILogReader> OpenReaderAsync(SinkOptions options, TimeProvider time, CancellationToken cancellation)
    {
        ISqlDialect dialect = ReadableDialectOf(options, time);
        try
        {
            return CreateReader(await TableParser.InUseAsync(options, dialect, cancellation), dialect, time);
        }
        catch (Exception error) when (error is StoreUnavailableException or StoreRefusedException or QueryException)
        {
            return CreateReader(options, dialect, time); // who may read the view alone is not told of rebuilds; a database that is away is told by the first query
        }
        catch
        {
            await dialect.DisposeAsync();
            throw;
        }
    }

    /// <summary>A reader of the view that the sink fills, with the configuration's columns.</summary>
    /// <exception cref="SinkConfigurationException">Files have no view to query.</exception>
    public static ILogReader CreateReader(SinkOptions options, TimeProvider time) => CreateReader(options, ReadableDialectOf(options, time), time);

    /// <summary>The sink's database as it is asked; null where the sink writes files.</summary>
    internal static ISqlDialect? DialectOf(SinkOptions options, TimeProvider time) =>
        options.Postgres is { } postgres ? new PostgresDialect(postgres, time) : options.Sqlite is { } sqlite ? new SqliteDialect(sqlite, time) : null;

    private static SqlLogReader CreateReader(SinkOptions options, ISqlDialect dialect, TimeProvider time) =>
        new(dialect, options, options.Table, LineParsers.Named(options.Parser), time);

    private static ISqlDialect ReadableDialectOf(SinkOptions options, TimeProvider time)
    {
        options.Validate();
        return DialectOf(options, time)
            ?? throw new SinkConfigurationException($"sink {options.Name} writes files: read them with your own tools; only postgres and sqlite sinks can be queried");
    }
}
