using System.Data.Common;
using System.Text.Json;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>
/// Which parser a sink's live table is filled by. A rebuild with another parser ends at its own time, before or after somebody writes the new one into the
/// configuration: so where the configuration names one parser of a rebuild and the table is of the other, the table's is used. That is so until the other
/// table is dropped; from then on the configuration alone says it.
/// </summary>
public static class TableParser
{
    /// <summary>The sink with the parser of its live table.</summary>
    /// <exception cref="StoreUnavailableException">The database cannot be asked now.</exception>
    public static async ValueTask<SinkOptions> InUseAsync(SinkOptions options, CancellationToken cancellation)
    {
        if (options.Files is not null)
        {
            return options;
        }
        await using var table = new RebuildTable(options);
        return await table.GuardAsync(async () =>
        {
            await using DbConnection? connection = await table.OpenIfAnyAsync(cancellation);
            return connection is null ? options : await InUseAsync(options, connection, cancellation);
        });
    }

    /// <summary>The same, asked through a reader's pool, so that a command opens one connection.</summary>
    internal static async ValueTask<SinkOptions> InUseAsync(SinkOptions options, ISqlDialect dialect, CancellationToken cancellation)
    {
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        return await dialect.AskAsync(AskAsync());

        async Task<SinkOptions> AskAsync() =>
            await connection.HoldsAsync(dialect.HasTable("logpipe_rebuilds"), cancellation) ? await InUseAsync(options, connection, cancellation) : options;
    }

    private static async Task<SinkOptions> InUseAsync(SinkOptions options, DbConnection connection, CancellationToken cancellation) =>
        await connection.ScalarAsync(
            RebuiltParser.Select("CASE l.config_hash WHEN r.config_hash THEN r.parser ELSE r.old_parser END", "@p0", "@p1"), cancellation, options.Name, RowColumns.ConfigHash(LineParsers.Named(options.Parser))) is string parser
            ? options.With(JsonSerializer.Deserialize<ParserOptions>(parser)!) : options;
}
