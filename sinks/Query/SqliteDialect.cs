using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Sqlite;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace LogPipeline.Sinks.Query;

/// <summary>
/// SQLite for a reader. A statement that is read slowly would keep the write-ahead log from being taken over into the database, so
/// rows are read in pages, each by a statement that ends before its rows are given on.
/// </summary>
internal sealed class SqliteDialect(SqliteOptions options, TimeProvider time) : ISqlDialect
{
    private const string MatchesFunction = "logpipe_matches";
    private const string NetworkFunction = "logpipe_in_network";
    private const string AddressFunction = "logpipe_address";
    private const int PageBytes = 256 << 10;
    private static readonly TimeSpan ShownAfter = TimeSpan.FromMilliseconds(300); // a row that was found
    private const int StepsBetweenLooks = 10_000; // of SQLite's virtual machine: well below a millisecond

    private readonly string _connection = new SqliteConnectionStringBuilder { DataSource = options.File, Mode = SqliteOpenMode.ReadWrite, Pooling = true }.ConnectionString;
    private readonly Lazy<SqliteThread> _thread = new(() => new SqliteThread("sqlite query"));

    public string Name => "SQLite";

    public bool HasTimeIndex => true;

    public string ByteOrder => "";

    public string IsNot => "IS NOT";

    public string Bytes => "coalesce(raw, CAST(line AS BLOB))";

    public string? RowId => "r.rowid";

    public string RowName(string table) => $"{table}.rowid";

    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellation) => await OpenAsync(cancellation);

    // Deferred: one that only reads holds up no writer.
    public ValueTask<DbTransaction> BeginLongAsync(DbConnection connection, CancellationToken cancellation) =>
        ValueTask.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(deferred: true));

    public string Test(TextTest test, string column, Func<object, string> value)
    {
        // SQLite's own LIKE knows the case of ASCII's letters alone.
        bool isOurs = test.Kind == TextTestKind.Matches || (test.IgnoreCase && !Ascii.IsValid(test.Value));
        string like = test.Kind switch
        {
            TextTestKind.Like => test.Value,
            TextTestKind.Contains => $"*{TextPattern.Literal(test.Value)}*",
            _ => TextPattern.Literal(test.Value),
        };
        return (test.Kind, test.IgnoreCase) switch
        {
            _ when isOurs => $"{MatchesFunction}({column}, {value(test.Kind == TextTestKind.Matches ? test.Value : TextPattern.Whole(like))}, {(test.IgnoreCase ? 1 : 0)})",
            (_, true) => $"{column} LIKE {value(TextPattern.Like(like))} ESCAPE '\\'",
            (TextTestKind.Contains, _) => $"instr({column}, {value(test.Value)}) > 0",
            (TextTestKind.Equals, _) => $"{column} = {value(test.Value)}",
            _ => $"{column} GLOB {value(TextPattern.Glob(like))}",
        };
    }

    public string AddressText(string column) => column;

    public string AddressOf(string text) => $"{AddressFunction}({text})";

    public string InNetwork(string column, IPNetwork network, Func<object, string> value) =>
        network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8 ? $"{column} = {value(network.BaseAddress.ToString())}"
            : $"{NetworkFunction}({column}, {value(network.ToString())})";

    public string JsonText(string column, JsonPath path, Func<object, string> value)
    {
        string to = value(path.ToString());
        return $"(CASE json_type({column}, {to}) WHEN 'text' THEN json_extract({column}, {to}) WHEN 'null' THEN NULL ELSE {column} -> {to} END)";
    }

    public string JsonNumber(string column, JsonPath path, Func<object, string> value)
    {
        string to = value(path.ToString());
        return $"(CASE WHEN json_type({column}, {to}) IN ('integer', 'real') THEN json_extract({column}, {to}) END)";
    }

    public string Number(object number, Func<object, string> value) => value(number);

    public string HasTable(string name) => $"EXISTS (SELECT 1 FROM sqlite_master WHERE name = '{name}')";

    public string MayRead(string name) => "true";

    public string TimeType => "TEXT";

    public string NewId => "INTEGER PRIMARY KEY AUTOINCREMENT";

    public string CreationLock => ""; // a transaction that writes is alone

    public object TimeParameter(DateTimeOffset time) => TimeText.Format(time);

    public DateTimeOffset ReadTime(DbDataReader reader, int column) =>
        DateTimeOffset.Parse(reader.GetString(column), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public Exception? Translate(Exception error) => error is SqliteException
        ? new QueryException($"SQLite file {options.File}: {error.Message}") : null;

    public async IAsyncEnumerable<T> StreamAsync<T>(
        Func<T?, SqlStatement> select, Func<DbDataReader, T> read, TimeSpan patience, [EnumeratorCancellation] CancellationToken cancellation)
        where T : class
    {
        await using SqliteConnection connection = await ((ISqlDialect)this).AskAsync(OpenAsync(cancellation).AsTask());
        T? last = null;
        long table = 0L;
        bool isEnd = false;
        while (!isEnd)
        {
            SqlStatement statement = select(last);
            var page = new List<T>();
            isEnd = await ((ISqlDialect)this).AskAsync(_thread.Value.RunAsync(() =>
            {
                using SqliteTransaction snapshot = connection.BeginTransaction(deferred: true);
                RequireSameTable(connection, ref table);
                return ReadPage(connection, statement, read, page, patience, cancellation);
            }).AsTask());
            foreach (T row in page)
            {
                yield return row;
            }
            last = page.LastOrDefault();
        }
    }

    public ValueTask<IReadOnlyList<TableStretch>> StretchesAsync(TableName table, CancellationToken cancellation) => ValueTask.FromResult<IReadOnlyList<TableStretch>>([]);

    public async ValueTask<long> RowsTableAsync(TableName table, CancellationToken cancellation)
    {
        var dialect = (ISqlDialect)this;
        await using SqliteConnection connection = await dialect.AskAsync(OpenAsync(cancellation).AsTask());
        return await dialect.AskAsync(_thread.Value.RunAsync(() => RowsTable(connection, table.Rows)).AsTask());
    }

    public ValueTask<bool> IsCheapAsync(SqlStatement statement, TimeSpan patience, CancellationToken cancellation) => ValueTask.FromResult(true); // an index has the order

    public async ValueTask<ExpiredRows> ExpiredAsync(TableName table, int log, CancellationToken cancellation)
    {
        var total = new ExpiredRows(new StoredRanges(), 0, 0);
        await using SqliteConnection connection = await ((ISqlDialect)this).AskAsync(OpenAsync(cancellation).AsTask());
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT name FROM sqlite_master WHERE name = 'logpipe_expired'";
        if (await ((ISqlDialect)this).AskAsync(command.ExecuteScalarAsync(cancellation)) is null)
        {
            return total;
        }
        command.CommandText = $"SELECT rows, bytes, offsets FROM logpipe_expired WHERE log = {log}";
        await using SqliteDataReader reader = await ((ISqlDialect)this).AskAsync(command.ExecuteReaderAsync(cancellation));
        while (await ((ISqlDialect)this).AskAsync(reader.ReadAsync(cancellation)))
        {
            total.Add(new ExpiredRows(RangeText.Parse(reader.GetString(2)), reader.GetInt64(0), reader.GetInt64(1)));
        }
        return total;
    }

    public string Bucket(TimeSpan width, Func<object, string> value)
    {
        string seconds = value((long)width.TotalSeconds);
        return $"unixepoch(time) / {seconds} * {seconds}";
    }

    public DateTimeOffset ReadBucket(DbDataReader reader, int column) => DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(column));

    public ValueTask DisposeAsync()
    {
        if (_thread.IsValueCreated)
        {
            _thread.Value.Dispose();
        }
        using var pool = new SqliteConnection(_connection);
        SqliteConnection.ClearPool(pool);
        return default;
    }

    private async ValueTask<SqliteConnection> OpenAsync(CancellationToken cancellation)
    {
        Batteries_V2.Init();
        if (!File.Exists(options.File))
        {
            throw new QueryException($"SQLite file {options.File} is not there: has the sink run?");
        }
        var connection = new SqliteConnection(_connection);
        await connection.OpenAsync(cancellation);
        connection.CreateFunction(MatchesFunction, static (string? text, string pattern, bool ignoreCase) => text is null ? null : (bool?)RowMatch.Pattern(pattern, ignoreCase).IsMatch(text), isDeterministic: true);
        connection.CreateFunction(AddressFunction, static (string? text) => text is null ? null : Addresses.Read(text)?.ToString(), isDeterministic: true);
        connection.CreateFunction(NetworkFunction, static (string? text, string network) => text is null ? null : (bool?)RowMatch.IsIn(text, IPNetwork.Parse(network)), isDeterministic: true);
        return connection;
    }

    /// <summary>Pages are told apart by the last row's time and offset, and the times of a line may be others in the table that a rebuild swaps in.</summary>
    /// <param name="known">The table of the pages before; 0 before the first one.</param>
    private void RequireSameTable(SqliteConnection connection, ref long known)
    {
        long now = RowsTable(connection, $"{options.Table}_rows");
        if (known != 0 && known != now)
        {
            throw new RowsReplacedException(options.Table);
        }
        known = now;
    }

    /// <summary>The page of the file that a table's rows begin at, which it keeps under any name.</summary>
    private static long RowsTable(SqliteConnection connection, string name)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = @rows COLLATE NOCASE";
        command.Parameters.AddWithValue("@rows", name);
        return command.ExecuteScalar() as long? ?? 0;
    }

    /// <summary>
    /// Reads rows until there are none, or they are enough, or no more came for a while; returns whether there are none. Runs on the
    /// reader's thread.
    /// </summary>
    private bool ReadPage<T>(SqliteConnection connection, SqlStatement statement, Func<DbDataReader, T> read, List<T> page, TimeSpan patience, CancellationToken cancellation)
    {
        long begun = time.GetTimestamp();
        bool IsLate() => page.Count == 0 && patience > TimeSpan.Zero && time.GetElapsedTime(begun) > patience;
        bool IsAwaited() => !statement.IsWhole && page.Count > 0 && time.GetElapsedTime(begun) > ShownAfter;
        raw.sqlite3_progress_handler(connection.Handle, StepsBetweenLooks, _ => cancellation.IsCancellationRequested || IsLate() || IsAwaited() ? 1 : 0, null);
        try
        {
            using DbCommand command = statement.Command(connection);
            using var reader = (SqliteDataReader)command.ExecuteReader();
            long bytes = 0;
            while (bytes < PageBytes || statement.IsWhole)
            {
                if (!reader.Read())
                {
                    return true;
                }
                if (page.Count == 0)
                {
                    begun = time.GetTimestamp();
                }
                page.Add(read(reader));
                bytes += SizeOf(reader);
            }
            return false;
        }
        catch (SqliteException error) when (error.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
            cancellation.ThrowIfCancellationRequested();
            return page.Count > 0 ? false : throw new QueryTimeoutException(patience);
        }
        finally
        {
            raw.sqlite3_progress_handler(connection.Handle, 0, null, null);
        }
    }

    private static long SizeOf(SqliteDataReader reader)
    {
        long bytes = 200; // a row's objects
        for (int i = 0; i < reader.FieldCount; i++)
        {
            if (raw.sqlite3_column_type(reader.Handle, i) is raw.SQLITE_TEXT or raw.SQLITE_BLOB)
            {
                bytes += raw.sqlite3_column_bytes(reader.Handle, i);
            }
        }
        return bytes;
    }
}
