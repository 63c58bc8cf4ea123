using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Postgres.Partitions;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Query;

/// <summary>PostgreSQL for a reader.</summary>
internal sealed class PostgresDialect : ISqlDialect
{
    // Compiling a query pays for itself in none of ours.
    private const string ReadOnly = "SET TRANSACTION READ ONLY;\nSET LOCAL jit = off;\n";

    // The server looks every two seconds whether its client is gone: no query goes on for nobody. Not every system can tell.
    private const string EndsWithClient = "SET LOCAL client_connection_check_interval = 2000;\n";

    private const string Pages = "pg_relation_size(c.oid) / current_setting('block_size')::int";

    private const string ByIndex = "SET LOCAL enable_seqscan = off;\nSET LOCAL enable_tidscan = off;\n";

    /// <summary>In the planner's unit, a page that is read in order: some tens of milliseconds. A thousand rows found by an index, or 40 MB.</summary>
    private const double CheapCost = 5_000;

    private const string Byte = "(25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])";

    private const string V4 = $"({Byte}[.]){{3}}{Byte}";

    /// <summary>
    /// What is an address to `Addresses` and to a cast: the cast fails for anything else. Eight groups, or fewer with `::` once. Two groups may be an IPv4 address.
    /// </summary>
    private const string AddressPattern = $"^({V4}|(?!.*::.*::)(?!.*:::)(?!:[^:])(?!.*[^:]:$)("
        + $"([0-9a-f]{{1,4}}:){{6}}([0-9a-f]{{1,4}}:[0-9a-f]{{1,4}}|{V4})|(?=.*::)(([0-9a-f]{{0,4}}:){{2,7}}[0-9a-f]{{0,4}}|([0-9a-f]{{0,4}}:){{2,6}}{V4})"
        + "|::([0-9a-f]{1,4}:){6}[0-9a-f]{1,4}|([0-9a-f]{1,4}:){6}[0-9a-f]{1,4}::))$";

    private readonly NpgsqlDataSource _source;
    private readonly string _server;
    private readonly TimeProvider _time;
    private string? _settings;

    public PostgresDialect(PostgresOptions options, TimeProvider time)
    {
        NpgsqlConnectionStringBuilder settings = PostgresConnection.Settings(options.Connection, "logpipe query");
        _server = $"{settings.Host}:{settings.Port}";
        _source = PostgresConnection.Source(settings);
        _time = time;
    }

    public string Name => "PostgreSQL";

    public bool HasTimeIndex => false;

    public string ByteOrder => " COLLATE \"C\"";

    public string IsNot => "IS DISTINCT FROM";

    public string Bytes => "coalesce(raw, convert_to(line, 'UTF8'))";

    public string? RowId => null;

    public string RowName(string table) => $"({table}.tableoid::text || {table}.ctid::text)";

    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellation) => await _source.OpenConnectionAsync(cancellation);

    public async ValueTask<DbTransaction> BeginLongAsync(DbConnection connection, CancellationToken cancellation)
    {
        DbTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        await connection.ExecuteAsync("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0", cancellation);
        return transaction;
    }

    public string Test(TextTest test, string column, Func<object, string> value)
    {
        string pattern = test.Kind switch
        {
            TextTestKind.Contains => $"*{TextPattern.Literal(test.Value)}*",
            TextTestKind.Equals => TextPattern.Literal(test.Value),
            _ => test.Value,
        };
        return (test.Kind, test.IgnoreCase) switch
        {
            (TextTestKind.Matches, _) => $"{column} {(test.IgnoreCase ? "~*" : "~")} {value(TextPattern.Postgres(test.Value))}",
            (TextTestKind.Equals, false) => $"{column} = {value(test.Value)}",
            (_, false) => $"{column} LIKE {value(TextPattern.Like(pattern))}",
            _ => LikeInAnyCase(column, pattern, value),
        };
    }

    /// <summary>In a database whose language is Turkish, i is no small I to ILIKE. It is to a regular expression. The planner knows which holds, and keeps that alone.</summary>
    private static string LikeInAnyCase(string column, string pattern, Func<object, string> value)
    {
        string like = $"{column} ILIKE {value(TextPattern.Like(pattern))}";
        return !pattern.Contains('i', StringComparison.OrdinalIgnoreCase) ? like
            : $"(CASE WHEN 'I' ILIKE 'i' THEN {like} ELSE {column} ~* {value(TextPattern.Postgres(TextPattern.Whole(pattern)))} END)";
    }

    public string AddressText(string column) => $"host({column})"; // as text it would end in the length of its network

    public string AddressOf(string text) => $"(CASE WHEN {text} ~* '{AddressPattern}' THEN CAST({text} AS inet) END)";

    // An index serves the comparison with one address.
    public string InNetwork(string column, IPNetwork network, Func<object, string> value) =>
        $"{column} {(network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8 ? "=" : "<<=")} CAST({value(network.ToString())} AS inet)";

    public string JsonText(string column, JsonPath path, Func<object, string> value) => $"({Json(column, path, value)} #>> '{{}}')";

    public string JsonNumber(string column, JsonPath path, Func<object, string> value)
    {
        string json = Json(column, path, value);
        return $"(CASE WHEN jsonb_typeof({json}) = 'number' THEN CAST({json} AS numeric) END)";
    }

    // As text a double keeps all its digits.
    public string Number(object number, Func<object, string> value) => $"CAST({value(Convert.ToString(number, CultureInfo.InvariantCulture)!)} AS numeric)";

    public string HasTable(string name) => $"to_regclass('{name}') IS NOT NULL";

    public string MayRead(string name) => $"coalesce(has_table_privilege(to_regclass('{name}'), 'SELECT'), true)";

    public string TimeType => "timestamptz";

    public string NewId => "int GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

    public string CreationLock => $"SELECT pg_advisory_xact_lock({PostgresSchema.CreationLock});";

    public object TimeParameter(DateTimeOffset time) => time.UtcDateTime;

    public DateTimeOffset ReadTime(DbDataReader reader, int column) => new(reader.GetDateTime(column));

    public Exception? Translate(Exception error) => error switch
    {
        PostgresException { SqlState: "42P01" } missing => new QueryException($"PostgreSQL at {_server} has no such view or table yet: has the sink run? ({missing.MessageText})"),
        PostgresException { SqlState: "2201B" } pattern => new QueryException($"PostgreSQL cannot use the regular expression: {pattern.MessageText}"),
        PostgresException { SqlState: "42501" } refused => new QueryException(
            $"PostgreSQL at {_server}: {refused.MessageText}. `query` needs SELECT on the sink's view; `tail` on logpipe_logs, logpipe_sources and the rows table too, and `verify` on all tables of the sink "
            + "(GRANT SELECT ON ALL TABLES IN SCHEMA …); `pause` and what else changes something is for the sink's own user."),
        _ => PostgresErrors.Translate(error, _server),
    };

    public async IAsyncEnumerable<T> StreamAsync<T>(
        Func<T?, SqlStatement> select, Func<DbDataReader, T> read, TimeSpan patience, [EnumeratorCancellation] CancellationToken cancellation)
        where T : class
    {
        var dialect = (ISqlDialect)this;
        using var limit = new Patience(patience, _time, cancellation);
        await using DbConnection connection = await limit.AwaitAsync(dialect.OpenAsync(limit.Token).AsTask());
        await using DbTransaction transaction = await connection.BeginTransactionAsync(limit.Token);
        SqlStatement statement = select(null);
        await using DbCommand command = statement.Command(connection, (_settings ??= await SettingsAsync(connection, limit.Token)) + (statement.ByIndex ? ByIndex : ""));
        command.Transaction = transaction;
        await using DbDataReader reader = await limit.AwaitAsync(dialect.AskAsync(command.ExecuteReaderAsync(limit.Token)).AsTask());
        while (true)
        {
            Task<bool> next = reader.ReadAsync(limit.Token);
            // Rows come many to a packet: the clock runs only where one has to be waited for.
            if (!(next.IsCompletedSuccessfully ? next.Result : await limit.AwaitAsync(dialect.AskAsync(next).AsTask())))
            {
                break;
            }
            yield return read(reader);
        }
    }

    public async ValueTask<IReadOnlyList<TableStretch>> StretchesAsync(TableName table, CancellationToken cancellation)
    {
        await using DbConnection connection = await ((ISqlDialect)this).OpenAsync(cancellation);
        IReadOnlyList<TableStretch> partitions = await StretchesAsync(connection, $"""
            WITH partitions AS MATERIALIZED (
                SELECT c.relkind, pg_get_expr(c.relpartbound, c.oid) AS bound, {Pages} AS pages
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = to_regclass({table.RowsLiteral}) AND NOT i.inhdetachpending AND {MayReadView(table)})
            SELECT {PartitionCatalog.Seconds("bound", "FROM")}, {PartitionCatalog.Seconds("bound", "TO")}, pages, relkind = 'r' AND bound <> 'DEFAULT'
            FROM partitions WHERE bound IS NOT NULL AND pages IS NOT NULL -- else it was dropped meanwhile
            """, cancellation);
        return partitions.Count > 0 ? partitions : await StretchesAsync(
            connection, $"SELECT NULL::float8, NULL::float8, {Pages}, true FROM pg_class c WHERE c.oid = to_regclass({table.RowsLiteral}) AND c.relkind = 'r' AND {MayReadView(table)}", cancellation);
    }

    public async ValueTask<long> RowsTableAsync(TableName table, CancellationToken cancellation)
    {
        var dialect = (ISqlDialect)this;
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT CAST(CAST(to_regclass({table.RowsLiteral}) AS oid) AS bigint)";
        return await dialect.AskAsync(command.ExecuteScalarAsync(cancellation)) as long? ?? 0;
    }

    public async ValueTask<bool> IsCheapAsync(SqlStatement statement, TimeSpan patience, CancellationToken cancellation)
    {
        var dialect = (ISqlDialect)this;
        using var limit = new Patience(patience, _time, cancellation);
        await using DbConnection connection = await limit.AwaitAsync(dialect.OpenAsync(limit.Token).AsTask());
        await using DbCommand command = statement.Command(connection, "EXPLAIN (FORMAT JSON) ");
        using var plan = JsonDocument.Parse((string)(await limit.AwaitAsync(dialect.AskAsync(command.ExecuteScalarAsync(limit.Token)).AsTask()))!);
        return plan.RootElement[0].GetProperty("Plan").GetProperty("Total Cost").GetDouble() <= CheapCost;
    }

    public async ValueTask<ExpiredRows> ExpiredAsync(TableName table, int log, CancellationToken cancellation)
    {
        var dialect = (ISqlDialect)this;
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        return await dialect.AskAsync(ExpiryNotes.OfLogAsync((NpgsqlConnection)connection, table, log, cancellation));
    }

    public string Bucket(TimeSpan width, Func<object, string> value) => $"date_bin({value(width)}, time, timestamptz '1970-01-01 00:00:00+00')";

    public DateTimeOffset ReadBucket(DbDataReader reader, int column) => ReadTime(reader, column);

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    // The operators take `0` for a member's name too, and for the place of a value that is in no array.
    private static string Json(string column, JsonPath path, Func<object, string> value) =>
        $"jsonb_path_query_first({column}, CAST({value($"strict {path}")} AS jsonpath), '{{}}', true)";

    /// <param name="connection">Open.</param>
    /// <param name="select">
    /// Selects bounds in seconds since 1970, pages, and whether it is a plain table of one range of time. Everything that a new connection's first
    /// statement names costs it a look into the catalogue, so it names little.
    /// </param>
    /// <param name="cancellation">Ends the wait.</param>
    private async Task<IReadOnlyList<TableStretch>> StretchesAsync(DbConnection connection, string select, CancellationToken cancellation)
    {
        var dialect = (ISqlDialect)this;
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = select;
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        var stretches = new List<TableStretch>();
        while (await dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            if (!reader.GetBoolean(3))
            {
                return [];
            }
            stretches.Add(new TableStretch(Moment(reader, 0), Moment(reader, 1), reader.GetInt64(2)));
        }
        return [.. stretches.Where(stretch => stretch.Pages > 0).OrderByDescending(stretch => stretch.From ?? DateTimeOffset.MinValue)];
    }

    private static string MayReadView(TableName table) =>
        string.Join(" AND ", new[] { table.RowsLiteral, "'logpipe_logs'", "'logpipe_sources'" }.Select(name => $"has_table_privilege(to_regclass({name}), 'SELECT')"));

    // Years that .NET has no time for are no bound: the rows' times lie within those that it has.
    private static DateTimeOffset? Moment(DbDataReader reader, int column) =>
        !reader.IsDBNull(column) && reader.GetDouble(column) is var seconds && Math.Abs(seconds) < 60e9
            ? DateTimeOffset.UnixEpoch + TimeSpan.FromMicroseconds(Math.Round(seconds * 1_000_000)) : null;

    private static async Task<string> SettingsAsync(DbConnection connection, CancellationToken cancellation)
    {
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = "SELECT version() ILIKE '%linux%'";
        return await command.ExecuteScalarAsync(cancellation) is true ? ReadOnly + EndsWithClient : ReadOnly;
    }
}
