using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using SQLitePCL;
using static SQLitePCL.raw;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>Inserts rows by one kept statement, bound from the record's bytes. Runs on the database's thread.</summary>
internal sealed class SqliteRows : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly ILineParser _parser;
    private readonly Column[] _columns;
    private readonly Field[] _fields;
    private readonly string _sql;
    private readonly LineText _text = new();
    private readonly byte[] _time = new byte[TimeText.Length];

    public SqliteRows(SqliteDatabase database, string table, ILineParser parser)
    {
        (_database, _parser) = (database, parser);
        _columns = [.. parser.Columns];
        _fields = new Field[_columns.Length];
        IReadOnlyList<string> names = RowColumns.Of(parser);
        _sql = $"INSERT INTO {table}_rows ({string.Join(", ", names)}) VALUES ({string.Join(", ", names.Select(_ => "?"))})";
    }

    /// <summary>Stores what is to be stored; a row that a constraint refuses is marked and the others go on.</summary>
    public void Insert(int logId, RowBatch rows, IReadOnlyList<int> sourceIds)
    {
        sqlite3_stmt statement = _database.Prepare(_sql);
        Span<Row> all = rows.Rows;
        for (int i = 0; i < all.Length; i++)
        {
            ref Row row = ref all[i];
            if (row.State != RowState.Store)
            {
                continue;
            }
            Bind(statement, logId, row, rows.Value(row), row.Source < 0 ? 0 : sourceIds[row.Source]);
            int code = sqlite3_step(statement);
            sqlite3_reset(statement);
            if (code == SQLITE_DONE)
            {
                continue;
            }
            if ((code & 0xFF) is not (SQLITE_CONSTRAINT or SQLITE_TOOBIG or SQLITE_MISMATCH))
            {
                _database.Check(code);
            }
            row.State = RowState.Refused;
            rows.Refusals.Add(new RowRefusal(i, $"sqlite {code}", _database.Message));
        }
    }

    public void Dispose() => _text.Dispose();

    private void Bind(sqlite3_stmt statement, int logId, in Row row, ReadOnlySpan<byte> value, int source)
    {
        ReadOnlySpan<byte> text = _text.Clean(value, out bool exact);
        long eventTime = EventTime.Find(_parser, row, text, _fields, out bool parsed);
        sqlite3_bind_int(statement, 1, logId);
        sqlite3_bind_int64(statement, 2, row.Offset);
        TimeText.Write(_time, eventTime);
        sqlite3_bind_text(statement, 3, _time);
        BindPosition(statement, row, source);
        sqlite3_bind_int(statement, 6, row.Part);
        BindText(statement, 7, text);
        if (exact)
        {
            sqlite3_bind_null(statement, 8);
        }
        else
        {
            sqlite3_bind_blob(statement, 8, value);
        }
        sqlite3_bind_int(statement, 9, parsed ? 1 : 0);
        sqlite3_bind_int(statement, 10, (int)row.Flags);
        for (int i = 0; i < _columns.Length; i++)
        {
            BindField(statement, RowColumns.Fixed.Count + 1 + i, parsed ? _fields[i] : default, _columns[i].Kind, text);
        }
    }

    private static void BindPosition(sqlite3_stmt statement, in Row row, int source)
    {
        if (source == 0)
        {
            sqlite3_bind_null(statement, 4);
            sqlite3_bind_null(statement, 5);
            return;
        }
        sqlite3_bind_int(statement, 4, source);
        sqlite3_bind_int64(statement, 5, row.LineBegin);
    }

    private void BindField(sqlite3_stmt statement, int at, in Field field, ColumnKind kind, ReadOnlySpan<byte> text)
    {
        if (!field.HasValue)
        {
            sqlite3_bind_null(statement, at);
        }
        else if (kind == ColumnKind.Text)
        {
            BindText(statement, at, text.Slice(field.Start, field.Length));
        }
        else if (kind == ColumnKind.Time)
        {
            TimeText.Write(_time, field.Number);
            sqlite3_bind_text(statement, at, _time);
        }
        else
        {
            sqlite3_bind_int64(statement, at, field.Number);
        }
    }

    /// <summary>An empty span has no address, which SQLite would take for NULL.</summary>
    private static void BindText(sqlite3_stmt statement, int at, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            sqlite3_bind_text(statement, at, "");
        }
        else
        {
            sqlite3_bind_text(statement, at, text);
        }
    }
}
