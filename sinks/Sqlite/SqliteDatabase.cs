using SQLitePCL;
using static SQLitePCL.raw;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>
/// SQLite's own calls, with its errors turned into the seam's. Statements are prepared once and kept. One caller at a time: the
/// thread that owns it.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    private readonly string _path;
    private readonly sqlite3 _handle;
    private readonly Dictionary<string, sqlite3_stmt> _statements = [];

    public SqliteDatabase(string path)
    {
        Batteries_V2.Init();
        _path = path;
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
        {
            CreateDirectory(directory);
        }
        Check(sqlite3_open_v2(path, out _handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, null));
        sqlite3_busy_timeout(_handle, 5000);
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL"); // a commit that was answered survives power loss
        Execute("PRAGMA cache_size = -65536");
    }

    /// <summary>Rows changed by the last statement.</summary>
    public int Changes => sqlite3_changes(_handle);

    /// <summary>False also where an error ended the transaction by itself.</summary>
    public bool IsInTransaction => sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Runs one or more statements without results.</summary>
    public void Execute(string sql) => Check(sqlite3_exec(_handle, sql));

    /// <summary>A kept statement, reset and ready to bind.</summary>
    public sqlite3_stmt Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out sqlite3_stmt? statement))
        {
            Check(sqlite3_prepare_v2(_handle, sql, out statement));
            _statements.Add(sql, statement);
        }
        sqlite3_reset(statement);
        return statement;
    }

    /// <summary>Runs a statement with text, long, bytes or null parameters; gives the rows changed.</summary>
    public int Run(string sql, params ReadOnlySpan<object?> parameters)
    {
        sqlite3_stmt statement = Bind(sql, parameters);
        while (Step(statement))
        {
        }
        sqlite3_reset(statement);
        return Changes;
    }

    /// <summary>Binds a statement whose rows the caller steps through.</summary>
    public sqlite3_stmt Bind(string sql, params ReadOnlySpan<object?> parameters)
    {
        sqlite3_stmt statement = Prepare(sql);
        for (int i = 0; i < parameters.Length; i++)
        {
            Check(parameters[i] switch
            {
                null => sqlite3_bind_null(statement, i + 1),
                string text => sqlite3_bind_text(statement, i + 1, text),
                int number => sqlite3_bind_int64(statement, i + 1, number),
                long number => sqlite3_bind_int64(statement, i + 1, number),
                ReadOnlyMemory<byte> { IsEmpty: true } => sqlite3_bind_zeroblob(statement, i + 1, 0),
                ReadOnlyMemory<byte> bytes => sqlite3_bind_blob(statement, i + 1, bytes.Span),
                var other => throw new ArgumentException($"no binding for {other.GetType()}", nameof(parameters)),
            });
        }
        return statement;
    }

    /// <summary>True for a row, false at the end.</summary>
    public bool Step(sqlite3_stmt statement)
    {
        int code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
        {
            return true;
        }
        if (code != SQLITE_DONE)
        {
            sqlite3_reset(statement);
            Check(code);
        }
        return false;
    }

    /// <summary>The first column of the first row as text; null when there is none.</summary>
    public string? Text(string sql, params ReadOnlySpan<object?> parameters)
    {
        sqlite3_stmt statement = Bind(sql, parameters);
        string? text = Step(statement) && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_text(statement, 0).utf8_to_string() : null;
        sqlite3_reset(statement);
        return text;
    }

    /// <summary>The first column of all rows, which is text.</summary>
    public IReadOnlyList<string> Texts(string sql, params ReadOnlySpan<object?> parameters)
    {
        sqlite3_stmt statement = Bind(sql, parameters);
        var texts = new List<string>();
        while (Step(statement))
        {
            texts.Add(sqlite3_column_text(statement, 0).utf8_to_string());
        }
        sqlite3_reset(statement);
        return texts;
    }

    public void Commit()
    {
        Reset();
        Execute("COMMIT");
    }

    /// <summary>Ends the open transaction, if there is one: some errors end it by themselves.</summary>
    public void RollBack()
    {
        Reset();
        if (IsInTransaction)
        {
            Execute("ROLLBACK");
        }
    }

    // A query not read to its end keeps its snapshot beyond the transaction: no checkpoint could pass it, and once another process
    // has written, every later write would be refused as locked.
    private void Reset()
    {
        foreach (sqlite3_stmt statement in _statements.Values)
        {
            sqlite3_reset(statement);
        }
    }

    /// <summary>What SQLite says of the last error.</summary>
    public string Message => sqlite3_errmsg(_handle).utf8_to_string();

    public void Dispose()
    {
        foreach (sqlite3_stmt statement in _statements.Values)
        {
            statement.Dispose();
        }
        _handle.Dispose();
    }

    /// <summary>Throws the seam's exception for an error.</summary>
    public void Check(int code)
    {
        if (code != SQLITE_OK)
        {
            throw SqliteErrors.Of(code, $"SQLite file {_path}: {(_handle is null ? sqlite3_errstr(code).utf8_to_string() : Message)}");
        }
    }

    private void CreateDirectory(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreRefusedException($"SQLite file {_path}: {error.Message} Check that the path is right and may be written.", error);
        }
    }
}
