using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// The rows table and the view over it: makes them with their comments. The table carries its identity in its comment, so that it survives
/// dump and restore but not drop and create.
/// </summary>
internal sealed class RowsTable(TableName table, ILineParser parser)
{
    private const string CommentPrefix = "logpipe rows ";
    private const int IdentityLength = 36;

    /// <summary>What the columns are, for people who look at table or view with their own tools.</summary>
    private static readonly IReadOnlyList<(string Column, string Text)> Comments =
    [
        ("log", "The partition of the topic: logpipe_logs.id"),
        ("topic", "The topic that the line came through"),
        ("partition", "The partition of the topic"),
        ("log_offset", "The line's place in its partition; with topic and partition the key of a row"),
        ("time", "When the event was: the line's own time where the parser finds one, else when the line was sent"),
        ("source", "The file that the line comes from: logpipe_sources.id"),
        ("host", "The host that the line comes from"),
        ("file", "The file that the line comes from"),
        ("generation", "One life of the file: a file that is replaced or cut gets another"),
        ("file_offset", "Where the line begins in its file, in bytes"),
        ("part", "0 for a whole line; parts of a long one are rows 1, 2, ..."),
        ("line", "The line as text; bytes that are no UTF-8 stand as U+FFFD, NUL as U+2400"),
        ("raw", "The line's exact bytes where its text is not the same, else NULL"),
        ("parsed", "Whether the parser could read the line"),
        ("flags", "How the line was read: logpipe's own bits"),
    ];

    /// <summary>A column's name as SQL; without quotes where they say nothing, as the configuration has it.</summary>
    private const string ColumnName = "CASE WHEN attname ~ '^[a-z_][a-z0-9_]*$' THEN attname::text ELSE quote_ident(attname) END";

    private IEnumerable<string> Parsed => parser.Columns.Select(column => column.Name);

    /// <summary>Makes the table where it is missing, and returns whether it was.</summary>
    public async Task<bool> EnsureAsync(NpgsqlConnection connection, Guid fresh, CancellationToken cancellation)
    {
        bool isMissing = await connection.ScalarAsync($"SELECT to_regclass({table.RowsLiteral})::text", cancellation) is not string;
        if (isMissing)
        {
            await connection.ExecuteAsync($"""
                CREATE TABLE {table.Rows} ({new TableShape(table, parser).Definition}) PARTITION BY RANGE (time);
                CREATE INDEX {table.Local("_rows_time")} ON {table.Rows} USING brin (time, log_offset int8_minmax_multi_ops) WITH (autosummarize = on);
                COMMENT ON TABLE {table.Rows} IS {SqlLiteral.Of($"{CommentPrefix}{fresh} (written by logpipe alone; read the view {table})")};
                """, cancellation);
            await CommentAsync(connection, table.Rows, RowColumns.Of(parser), cancellation);
        }
        return isMissing;
    }

    /// <summary>Adds columns of the parser's: they may be NULL, which takes a moment however large the table is.</summary>
    public async Task AddAsync(NpgsqlConnection connection, IReadOnlyList<(string Name, string Type)> columns, CancellationToken cancellation)
    {
        await connection.ExecuteAsync($"ALTER TABLE {table.Rows} {string.Join(", ", columns.Select(column => $"ADD COLUMN {column.Name} {column.Type}"))}", cancellation);
        await CommentAsync(connection, table.Rows, [.. columns.Select(column => column.Name)], cancellation);
    }

    /// <summary>Makes the view where it is missing.</summary>
    /// <exception cref="StoreRefusedException">Something else has its name.</exception>
    public async Task EnsureViewAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if ((await ViewAsync(connection, cancellation)).Count == 0)
        {
            IReadOnlyList<string> columns = RowColumns.OfView(await ParsedAsync(connection, cancellation));
            await connection.ExecuteAsync($"""
                CREATE VIEW {table} AS {RowColumns.ViewSelect(table, columns)};
                COMMENT ON VIEW {table} IS 'Log lines that logpipe stored, a row each';
                """, cancellation);
            await CommentAsync(connection, table.ToString(), columns, cancellation);
        }
    }

    /// <summary>Whether there is a view, and it does not show all columns of the parser.</summary>
    public async Task<bool> LacksInViewAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await ViewAsync(connection, cancellation) is { Count: > 0 } view && Parsed.Except(view).Any();

    /// <summary>Has a view that is there show all columns of the table: it stays the same view to what was built on it, and keeps its rights.</summary>
    /// <exception cref="StoreRefusedException">It is not the sink's.</exception>
    public async Task ExtendViewAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!await LacksInViewAsync(connection, cancellation))
        {
            return;
        }
        IReadOnlyList<string> view = await ViewAsync(connection, cancellation);
        IReadOnlyList<string> columns = RowColumns.OfView(table, view, await ParsedAsync(connection, cancellation));
        string options = await connection.ScalarAsync($"SELECT ' WITH (' || array_to_string(reloptions, ', ') || ')' FROM pg_class WHERE oid = to_regclass({table.Literal})", cancellation) as string ?? "";
        await connection.ExecuteAsync($"CREATE OR REPLACE VIEW {table}{options} AS {RowColumns.ViewSelect(table, columns)}", cancellation);
        await CommentAsync(connection, table.ToString(), [.. columns.Except(view)], cancellation);
    }

    /// <summary>The columns of the view in its order; none where it is missing.</summary>
    /// <exception cref="StoreRefusedException">Something else has its name.</exception>
    private async Task<IReadOnlyList<string>> ViewAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync($"SELECT relkind::text FROM pg_class WHERE oid = to_regclass({table.Literal})", cancellation) is string kind && kind != "v")
        {
            throw new StoreRefusedException($"{table} is there and is not a view. Give the sink another `table`.");
        }
        return await connection.TextsAsync($"SELECT {ColumnName} FROM pg_attribute WHERE attrelid = to_regclass({table.Literal}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum", cancellation);
    }

    /// <summary>The columns of the table beside the fixed ones, in its order: those of the parser, of earlier ones and what people added. What the server computes is left out.</summary>
    private Task<IReadOnlyList<string>> ParsedAsync(NpgsqlConnection connection, CancellationToken cancellation) => connection.TextsAsync($"""
        SELECT {ColumnName} FROM pg_attribute WHERE attrelid = to_regclass({table.RowsLiteral}) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            AND attname NOT IN ({string.Join(", ", RowColumns.Fixed.Select(SqlLiteral.Of))}) ORDER BY attnum
        """, cancellation);

    /// <summary>The table's identity; made with it.</summary>
    /// <exception cref="StoreRefusedException">The table is not this program's.</exception>
    public async Task<string> IdentityAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        string? comment = await connection.ScalarAsync($"SELECT obj_description({table.RowsLiteral}::regclass)", cancellation) as string;
        if (comment?.StartsWith(CommentPrefix, StringComparison.Ordinal) != true || comment.Length < CommentPrefix.Length + IdentityLength)
        {
            string noted = await connection.ScalarAsync($"SELECT table_identity FROM logpipe_logs WHERE table_name = {table.Literal} ORDER BY id DESC LIMIT 1", cancellation) is string known
                ? $"If a restore left its comment out, as with --no-comments: COMMENT ON TABLE {table.Rows} IS {SqlLiteral.Of(CommentPrefix + known)}. Else give" : "Give";
            throw new StoreRefusedException($"table {table.Rows} is not this program's (its comment does not say so). {noted} the sink another `table`.");
        }
        return comment.Substring(CommentPrefix.Length, IdentityLength);
    }

    private async Task CommentAsync(NpgsqlConnection connection, string relation, IReadOnlyList<string> columns, CancellationToken cancellation)
    {
        IEnumerable<(string Column, string Text)> parsed = Parsed.Select(column => (column, $"From the line, by the parser {parser.Name}"));
        await connection.ExecuteAsync(
            string.Concat(Comments.Concat(parsed).Where(comment => columns.Contains(comment.Column)).Select(comment => $"COMMENT ON COLUMN {relation}.{comment.Column} IS {SqlLiteral.Of(comment.Text)};\n")),
            cancellation);
    }
}
